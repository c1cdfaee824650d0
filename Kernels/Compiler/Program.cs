using EfficientAD.Kernels.Compiler;

// kernels compile    makes Kernels/ptx, its resource table and the one in Kernels/README.md
// kernels check      makes them again and compares: what is committed must be what the sources give
// kernels hashes     compares source hashes only; needs no compiler

string? repository = AppContext.BaseDirectory;
while (repository is not null && !File.Exists(Path.Combine(repository, "EfficientAD.sln")))
    repository = Path.GetDirectoryName(repository);
if (repository is null || args is not ["compile" or "check" or "hashes"])
{
    Console.Error.WriteLine(
        "Usage, inside the repository: dotnet run --project Kernels/Compiler -- compile | check | hashes");
    return 2;
}

try
{
    var library = new KernelFolder(Path.Combine(repository, "Kernels"));
    return args[0] switch
    {
        "compile" => library.Write(KernelBuild.Run(library.Sources, CompilerFolder.Find(repository))),
        "check" => library.Compare(KernelBuild.Run(library.Sources, CompilerFolder.Find(repository))),
        _ => library.CompareHashes(),
    };
}
catch (Exception e) when (e is InvalidDataException or FileNotFoundException or InvalidOperationException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
