using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EfficientAD.Native.Driver;
using EfficientAD.Native.Libraries;

namespace EfficientAD.Native.Dnn;

/// <summary>The entry points of libcudnn that we call, named and ordered as in its headers (graph, ops, cnn).</summary>
internal sealed unsafe class Cudnn(LibraryExports exports)
{
    public const string LibraryName = "cuDNN";

    private const int SupportedMajor = 9;

    public readonly delegate* unmanaged<nuint> cudnnGetVersion =
        (delegate* unmanaged<nuint>)exports.Required(nameof(cudnnGetVersion));
    public readonly delegate* unmanaged<DnnStatus, byte*> cudnnGetErrorString =
        (delegate* unmanaged<DnnStatus, byte*>)exports.Required(nameof(cudnnGetErrorString));
    public readonly delegate* unmanaged<nint*, DnnStatus> cudnnCreate =
        (delegate* unmanaged<nint*, DnnStatus>)exports.Required(nameof(cudnnCreate));
    public readonly delegate* unmanaged<nint, DnnStatus> cudnnDestroy =
        (delegate* unmanaged<nint, DnnStatus>)exports.Required(nameof(cudnnDestroy));
    public readonly delegate* unmanaged<nint, nint, DnnStatus> cudnnSetStream =
        (delegate* unmanaged<nint, nint, DnnStatus>)exports.Required(nameof(cudnnSetStream));

    public readonly delegate* unmanaged<nint*, DnnStatus> cudnnCreateTensorDescriptor =
        (delegate* unmanaged<nint*, DnnStatus>)exports.Required(nameof(cudnnCreateTensorDescriptor));
    public readonly delegate* unmanaged<nint, DnnFormat, DnnDataType, int, int, int, int, DnnStatus>
        cudnnSetTensor4dDescriptor = (delegate* unmanaged<nint, DnnFormat, DnnDataType, int, int, int, int, DnnStatus>)
        exports.Required(nameof(cudnnSetTensor4dDescriptor));
    public readonly delegate* unmanaged<nint, DnnStatus> cudnnDestroyTensorDescriptor =
        (delegate* unmanaged<nint, DnnStatus>)exports.Required(nameof(cudnnDestroyTensorDescriptor));
    public readonly delegate* unmanaged<nint*, DnnStatus> cudnnCreateFilterDescriptor =
        (delegate* unmanaged<nint*, DnnStatus>)exports.Required(nameof(cudnnCreateFilterDescriptor));
    public readonly delegate* unmanaged<nint, DnnDataType, DnnFormat, int, int, int, int, DnnStatus>
        cudnnSetFilter4dDescriptor = (delegate* unmanaged<nint, DnnDataType, DnnFormat, int, int, int, int, DnnStatus>)
        exports.Required(nameof(cudnnSetFilter4dDescriptor));
    public readonly delegate* unmanaged<nint, DnnStatus> cudnnDestroyFilterDescriptor =
        (delegate* unmanaged<nint, DnnStatus>)exports.Required(nameof(cudnnDestroyFilterDescriptor));
    public readonly delegate* unmanaged<nint*, DnnStatus> cudnnCreateActivationDescriptor =
        (delegate* unmanaged<nint*, DnnStatus>)exports.Required(nameof(cudnnCreateActivationDescriptor));
    public readonly delegate* unmanaged<nint, DnnActivation, DnnNan, double, DnnStatus> cudnnSetActivationDescriptor =
        (delegate* unmanaged<nint, DnnActivation, DnnNan, double, DnnStatus>)
        exports.Required(nameof(cudnnSetActivationDescriptor));
    public readonly delegate* unmanaged<nint, DnnStatus> cudnnDestroyActivationDescriptor =
        (delegate* unmanaged<nint, DnnStatus>)exports.Required(nameof(cudnnDestroyActivationDescriptor));

    public readonly delegate* unmanaged<nint*, DnnStatus> cudnnCreateConvolutionDescriptor =
        (delegate* unmanaged<nint*, DnnStatus>)exports.Required(nameof(cudnnCreateConvolutionDescriptor));
    public readonly delegate* unmanaged<nint, DnnStatus> cudnnDestroyConvolutionDescriptor =
        (delegate* unmanaged<nint, DnnStatus>)exports.Required(nameof(cudnnDestroyConvolutionDescriptor));
    public readonly delegate* unmanaged<nint, DnnMath, DnnStatus> cudnnSetConvolutionMathType =
        (delegate* unmanaged<nint, DnnMath, DnnStatus>)exports.Required(nameof(cudnnSetConvolutionMathType));
    public readonly delegate* unmanaged<
        nint, int, int, int, int, int, int, DnnConvolutionMode, DnnDataType, DnnStatus>
        cudnnSetConvolution2dDescriptor =
        (delegate* unmanaged<nint, int, int, int, int, int, int, DnnConvolutionMode, DnnDataType, DnnStatus>)
        exports.Required(nameof(cudnnSetConvolution2dDescriptor));

    public readonly delegate* unmanaged<nint, nint, nint, nint, nint, int, int*, DnnAlgorithm*, DnnStatus>
        cudnnGetConvolutionForwardAlgorithm_v7 =
        (delegate* unmanaged<nint, nint, nint, nint, nint, int, int*, DnnAlgorithm*, DnnStatus>)
        exports.Required(nameof(cudnnGetConvolutionForwardAlgorithm_v7));
    public readonly delegate* unmanaged<
        nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, DnnStatus>
        cudnnConvolutionForward = (delegate* unmanaged<
            nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, DnnStatus>)
        exports.Required(nameof(cudnnConvolutionForward));
    public readonly delegate* unmanaged<
        nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, nint, nint, nint, nint, nint,
        DnnStatus> cudnnConvolutionBiasActivationForward =
        (delegate* unmanaged<
            nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, nint, nint, nint, nint,
            nint, DnnStatus>)exports.Required(nameof(cudnnConvolutionBiasActivationForward));
    public readonly delegate* unmanaged<nint, nint, nint, nint, nint, int, int*, DnnAlgorithm*, DnnStatus>
        cudnnGetConvolutionBackwardDataAlgorithm_v7 =
        (delegate* unmanaged<nint, nint, nint, nint, nint, int, int*, DnnAlgorithm*, DnnStatus>)
        exports.Required(nameof(cudnnGetConvolutionBackwardDataAlgorithm_v7));
    public readonly delegate* unmanaged<
        nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, DnnStatus>
        cudnnConvolutionBackwardData = (delegate* unmanaged<
            nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, DnnStatus>)
        exports.Required(nameof(cudnnConvolutionBackwardData));
    public readonly delegate* unmanaged<nint, nint, nint, nint, nint, int, int*, DnnAlgorithm*, DnnStatus>
        cudnnGetConvolutionBackwardFilterAlgorithm_v7 =
        (delegate* unmanaged<nint, nint, nint, nint, nint, int, int*, DnnAlgorithm*, DnnStatus>)
        exports.Required(nameof(cudnnGetConvolutionBackwardFilterAlgorithm_v7));
    public readonly delegate* unmanaged<
        nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, DnnStatus>
        cudnnConvolutionBackwardFilter = (delegate* unmanaged<
            nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, DnnStatus>)
        exports.Required(nameof(cudnnConvolutionBackwardFilter));

    /// <summary>9.6.0, for instance.</summary>
    public Version Version => VersionOf(checked((int)cudnnGetVersion()));

    private static string[] FileNames => OperatingSystem.IsWindows()
        ? ["cudnn64_9.dll", "cudnn64_8.dll"]
        : ["libcudnn.so.9", "libcudnn.so.8"];

    /// <summary>What cuDNN loads by name. Its own parts lie beside it and are found by themselves.</summary>
    private static string[][] Dependencies => OperatingSystem.IsWindows()
        ? []
        : [["libcublasLt.so.13", "libcublasLt.so.12"], ["libcublas.so.13", "libcublas.so.12"],
            ["libnvrtc.so.13", "libnvrtc.so.12"]];

    /// <param name="folders">Where to look first: <see cref="LibrarySearch.FoldersVariable"/>.</param>
    /// <returns>The table is null where there is no library, or where it is not of the version we know.</returns>
    public static (Cudnn? Table, CudaLibrary Description) Find(string? folders)
    {
        foreach (string[] names in Dependencies) LibrarySearch.LoadBeforehand(names, folders);
        if (LibrarySearch.Load(FileNames, folders) is not var (library, path))
            return (null, CudaLibrary.Absent(LibraryName));
        return Open(new LibraryExports(
            name => NativeLibrary.TryGetExport(library, name, out nint address) ? address : 0, path), path);
    }

    /// <summary>Reads the version first: another major version may lack entry points, or mean others by them.</summary>
    internal static (Cudnn? Table, CudaLibrary Description) Open(LibraryExports exports, string path)
    {
        Version? version = null;
        try
        {
            var getVersion = (delegate* unmanaged<nuint>)exports.Required(nameof(cudnnGetVersion));
            version = VersionOf(checked((int)getVersion()));
            if (version.Major != SupportedMajor)
            {
                throw new CudaException(
                    $"cuDNN {version} is installed, but this version of EfficientAD knows cuDNN {SupportedMajor} " +
                    "only. Install that, or do without.");
            }

            return (new Cudnn(exports), new CudaLibrary(LibraryName, version, path, null));
        }
        catch (CudaException e)
        {
            return (null, new CudaLibrary(LibraryName, version, path, e.Message));
        }
    }

    /// <param name="call">Names the native function in the message.</param>
    /// <exception cref="CudaException">The call did not succeed.</exception>
    public void ThrowIfFailed(DnnStatus status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status == DnnStatus.Success) return;
        string name = Marshal.PtrToStringUTF8((nint)cudnnGetErrorString(status)) ?? "an unknown error";
        throw new CudaException(CudaDriver.FunctionOf(call), (int)status, name, remedy: null);
    }

    /// <summary>90600 is 9.6.0, 8907 is 8.9.7.</summary>
    private static Version VersionOf(int number) => number >= 10000
        ? new Version(number / 10000, number / 100 % 100, number % 100)
        : new Version(number / 1000, number / 100 % 10, number % 100);
}
