#!/usr/bin/env bash
# Publishes the command line by NativeAOT and runs commands that parse options, read files, compute and write JSON.
# Not part of .ci/run: the native compiler takes minutes. Needs clang or gcc and zlib's headers.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
dotnet publish EfficientAD.Cli -c Release -r linux-x64 -p:PublishAot=true -p:IlcInstructionSet="${1:-x86-64-v3}" -o "$out"

teacher=EfficientAD.Core/Teachers/pdn_small.safetensors
"$out/efficientad" --help | grep -q evaluate
"$out/efficientad" bench --help | grep -q -- --paced
"$out/efficientad" devices --json | grep -q instruction_set
"$out/efficientad" info "$teacher" --json | grep -q sha256
"$out/efficientad" import "$teacher" --out "$out/teacher.safetensors" --json | grep -q '"kind":"teacher"'
"$out/efficientad" demo --out "$out/demo" --minutes 0.2 > "$out/demo.log"
"$out/efficientad" evaluate --model "$out/demo/conveyor.safetensors" --data "$out/demo/conveyor" --out "$out/report" --json \
    | grep -q image_auroc
"$out/efficientad" export --model "$out/demo/conveyor.safetensors" --onnx "$out/model.onnx"
status=0
"$out/efficientad" bench --model x --batch 0 2> /dev/null || status=$?
[ "$status" = 2 ]
echo "The published program works."
