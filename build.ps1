#!/usr/bin/env pwsh

<#
.SYNOPSIS
Builds, tests, measures and packs EfficientAD; the same on Windows and Linux.
.DESCRIPTION
Needs the .NET 10 SDK. "dotnet tool restore" brings PowerShell itself; then call it as "dotnet pwsh build.ps1 TASK".
.PARAMETER Task
restore: tools and packages. build: everything, warnings are errors. test: all tests. bench: the benchmarks.
format: rewrites the sources to .editorconfig. pack: the libraries as NuGet packages, into out/packages.
gpu-bundle: tests, command line and scripts as out/gpu-bundle.tar.xz, for a Linux machine with a GPU and without .NET.
kernels: compiles Kernels/*.cu to PTX and checks it with ptxas; "kernels check" compares with what is stored instead.
.PARAMETER Arguments
What else the task's dotnet command shall get.
.EXAMPLE
dotnet pwsh build.ps1 test
.EXAMPLE
dotnet pwsh build.ps1 bench --filter *Convolution*
.EXAMPLE
dotnet pwsh build.ps1 format --verify-no-changes
.EXAMPLE
dotnet pwsh build.ps1 kernels check
#>
#Requires -Version 7.4
param(
    [ValidateSet('restore', 'build', 'test', 'bench', 'format', 'pack', 'kernels', 'gpu-bundle')]
    [string] $Task = 'build',
    [Parameter(ValueFromRemainingArguments)] [string[]] $Arguments = @()
)
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true  # a command that fails ends the script with an error

Push-Location $PSScriptRoot
try {
    switch ($Task) {
        'restore' { dotnet tool restore; dotnet restore @Arguments }
        'build' { dotnet build -c Release @Arguments }
        'test' { dotnet test -c Release @Arguments }
        'bench' { dotnet run -c Release --project Benchmarks -- ($Arguments.Count ? $Arguments : '--filter', '*') }
        'format' { dotnet format @Arguments }
        'kernels' {
            if (-not $env:CUDA_PATH) { bash Kernels/fetch-compiler.sh }
            dotnet run -c Release --project Kernels/Compiler -- ($Arguments.Count ? $Arguments : 'compile')
        }
        'gpu-bundle' {
            $bundle = 'out/gpu-bundle'
            if (Test-Path $bundle) { Remove-Item $bundle -Recurse }
            foreach ($project in 'Benchmarks', 'Tests') {
                dotnet publish $project -c Release -r linux-x64 --self-contained -p:DebugType=none `
                    -p:GenerateDocumentationFile=false -o $bundle @Arguments
            }
            Remove-Item "$bundle/onnxruntime*.dll", "$bundle/onnxruntime*.lib" -ErrorAction SilentlyContinue
            Copy-Item Benchmarks/gpu/run-gpu-tests.sh, Benchmarks/peers/pytorch_step.py, Tests/References/*.py $bundle
            git rev-parse HEAD > "$bundle/commit.txt"
            # What the runtime loads from the system by name, and a bare machine may lack.
            Get-ChildItem /usr/lib/x86_64-linux-gnu/libssl.so.3, /usr/lib/x86_64-linux-gnu/libcrypto.so.3 `
                -ErrorAction SilentlyContinue | Copy-Item -Destination $bundle
            tar -C out -cJf out/gpu-bundle.tar.xz gpu-bundle
        }
        'pack' {
            foreach ($project in 'EfficientAD.Native', 'EfficientAD.Core') {
                dotnet pack $project -c Release -o out/packages @Arguments
            }
        }
    }
}
finally { Pop-Location }
