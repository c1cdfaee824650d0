using System.Reflection;
using System.Runtime.InteropServices;
using EfficientAD.Native.Driver;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.PtxSimulator.Driver;

public class ExportTests
{
    [Fact]
    public void EverythingThatWeCall_IsThere()
    {
        string[] names =
        [
            .. typeof(CudaDriver).GetFields().Where(field => !field.IsStatic && !field.IsLiteral)
                .Select(field => field.Name),
        ];
        Assert.NotEmpty(names);
        Assert.DoesNotContain(names, name => SimulatedDriver.Export(name) == 0);
    }

    [Fact]
    public void UnknownSymbol_HasNoAddress() => Assert.Equal(0, SimulatedDriver.Export("cuMemAlloc"));

    /// <summary>A library of this project is then a libcuda under the names that programs look up.</summary>
    [Fact]
    public void EverySymbol_IsExportedUnderItsName()
    {
        var exported = typeof(SimulatedDriver).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Select(method => method.GetCustomAttribute<UnmanagedCallersOnlyAttribute>()?.EntryPoint)
            .OfType<string>();
        Assert.Equal(exported.Order(), SimulatedDriver.Symbols.Order());
    }

    [Fact]
    public void EverySymbol_IsOneOfNvidiasLibrary()
    {
        string path = InstalledLibrary();
        nint library = NativeLibrary.Load(path);
        Assert.DoesNotContain(SimulatedDriver.Symbols, name => !NativeLibrary.TryGetExport(library, name, out _));
    }

    private static string InstalledLibrary()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            string fetched = Path.Combine(folder, ".tools", "cuda", "libcuda.so.1");
            if (File.Exists(fetched)) return fetched;
        }

        Assert.SkipUnless(
            NativeLibrary.TryLoad("libcuda.so.1", out _), "No libcuda.so.1: see Kernels/fetch-compiler.sh.");
        return "libcuda.so.1";
    }
}
