using System.Runtime.InteropServices;
using EfficientAD.Native;
using EfficientAD.Native.Blas;
using EfficientAD.Native.Dnn;
using EfficientAD.Native.Driver;
using EfficientAD.Native.Libraries;

namespace EfficientAD.Tests.Native;

public unsafe class LibraryTests
{
    [Fact]
    public void AbsentLibraries_AreSilent()
    {
        var absent = CudaLibrary.Absent("cuDNN");
        Assert.False(absent.IsUsable);
        Assert.Null(absent.Version);
        Assert.Null(absent.Unusable);
        Assert.Null(LibrarySearch.Load(["libefficientad_nowhere.so.9"], "/nowhere"));
    }

    /// <summary>Whatever this machine has: nothing, a library, or a reason.</summary>
    [Fact]
    public void ThisMachine_HasNothingALibraryOrAReason()
    {
        var libraries = CudaLibraries.Query();
        Assert.All([libraries.Blas, libraries.Dnn], library =>
        {
            if (library.Path is null) Assert.Null(library.Unusable);
            else Assert.NotEqual(library.IsUsable, library.Unusable is not null);
        });
    }

    [Fact]
    public void NamedFolder_IsSearchedAsItIsAndAsSitePackages()
    {
        string root = Directory.CreateTempSubdirectory("efficientad-libraries-").FullName;
        try
        {
            // Any library of the system serves; it is copied where the wheels put theirs.
            string system = typeof(object).Assembly.Location;
            string native = Directory.EnumerateFiles(Path.GetDirectoryName(system)!, "*System.Native*").First();
            string folder = Directory.CreateDirectory(Path.Combine(root, "nvidia", "cudnn", "lib")).FullName;
            string name = "libefficientad_test" + Path.GetExtension(native);
            File.Copy(native, Path.Combine(folder, name));
            string folders = string.Join(Path.PathSeparator, "/nowhere", root);
            Assert.Equal(Path.Combine(folder, name), LibrarySearch.Load([name], folders)?.Path);
            Assert.Equal(Path.Combine(folder, name), LibrarySearch.Load([name], folder)?.Path);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Theory]
    [InlineData(8907, "8.9.7")]
    [InlineData(100000, "10.0.0")]
    public void OtherMajorVersionOfCudnn_IsToldInASentence(int number, string version)
    {
        _version = number;
        var (table, description) = Cudnn.Open(new LibraryExports(
            name => name == "cudnnGetVersion" ? (nint)(delegate* unmanaged<nuint>)&GetVersion : 0, "libcudnn.so"),
            "libcudnn.so");
        Assert.Null(table);
        Assert.False(description.IsUsable);
        Assert.Equal(
            $"cuDNN {version} is installed, but this version of EfficientAD knows cuDNN 9 only. Install that, or do " +
            "without.", description.Unusable);
    }

    [Fact]
    public void CudnnWithoutAnEntryPoint_IsToldInASentence()
    {
        _version = 90600;
        var (table, description) = Cudnn.Open(new LibraryExports(
            name => name == "cudnnGetVersion" ? (nint)(delegate* unmanaged<nuint>)&GetVersion : 0, "libcudnn.so.9"),
            "libcudnn.so.9");
        Assert.Null(table);
        Assert.Equal(new Version(9, 6, 0), description.Version);
        Assert.Equal(
            "libcudnn.so.9 has no cudnnGetErrorString: it is too old, or another library.", description.Unusable);
    }

    /// <summary>The library itself refuses a wrong attribute or a wrong size.</summary>
    [Theory]
    [InlineData(LibraryPrecision.Float32, false, false)]
    [InlineData(LibraryPrecision.TensorFloat32, true, false)]
    [InlineData(LibraryPrecision.Float16, true, true)]
    public void InstalledCublasLt_TakesOurDescriptors(LibraryPrecision precision, bool bias, bool relu)
    {
        (CublasLt? library, CudaLibrary description) =
            CublasLt.Find(Environment.GetEnvironmentVariable(LibrarySearch.FoldersVariable));
        Assert.SkipWhen(library is null, $"No cuBLASLt here; {LibrarySearch.FoldersVariable} can name its folder.");
        Assert.InRange(description.Version!.Major, 11, 13);
        var shape = new GemmShape(5, 7, 11, TransposeB: true) { Batch = 3, StrideA = 55, StrideB = 0, StrideD = 35 };
        using var descriptors = new GemmDescriptors(library!, shape, precision, bias, relu, 1 << 20);
        descriptors.SetBias(256);
        nint[] handles =
        [
            descriptors.Operation, descriptors.LayoutA, descriptors.LayoutB, descriptors.LayoutD,
            descriptors.Preference,
        ];
        Assert.All(handles, handle => Assert.NotEqual(0, handle));
    }

    [Fact]
    public void InstalledCublasLt_SaysWhyItRefuses()
    {
        (CublasLt? library, _) = CublasLt.Find(Environment.GetEnvironmentVariable(LibrarySearch.FoldersVariable));
        Assert.SkipWhen(library is null, $"No cuBLASLt here; {LibrarySearch.FoldersVariable} can name its folder.");
        nint operation;
        CublasLt.ThrowIfFailed(
            library!.cublasLtMatmulDescCreate(&operation, BlasComputeType.Float32, BlasDataType.Float32));
        ushort tooShort = 0;
        BlasStatus status = library.cublasLtMatmulDescSetAttribute(
            operation, MatmulAttribute.Epilogue, &tooShort, sizeof(ushort));
        library.cublasLtMatmulDescDestroy(operation);
        var error = Assert.Throws<CudaException>(
            () => CublasLt.ThrowIfFailed(status, "cublasLtMatmulDescSetAttribute"));
        Assert.Equal("cublasLtMatmulDescSetAttribute failed with CUBLAS_STATUS_INVALID_VALUE (7).", error.Message);
    }

    [ThreadStatic]
    private static int _version;

    [UnmanagedCallersOnly]
    private static nuint GetVersion() => (nuint)_version;
}
