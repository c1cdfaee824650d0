using System.Runtime.InteropServices;
using EfficientAD.Native.Dnn;
using EfficientAD.Native.Driver;

namespace EfficientAD.Tests.Native;

/// <summary>Stands where libcudnn stands: notes what it is asked, in the order that cudnn's documentation gives the
/// arguments. One test at a time uses it, on its own thread.</summary>
internal static unsafe class CudnnStub
{
    private const int BadParameter = 2000;

    [ThreadStatic]
    private static List<string>? _calls;

    [ThreadStatic]
    private static int _lastHandle, _living;

    [ThreadStatic]
    private static DnnAlgorithm[]? _algorithms;

    private static readonly byte* ErrorName = (byte*)Marshal.StringToCoTaskMemUTF8("CUDNN_STATUS_BAD_PARAM");

    /// <summary>What was called on this thread.</summary>
    public static List<string> Calls => _calls ??= [];

    /// <summary>Handles and descriptors that were created and not destroyed.</summary>
    public static int Living => _living;

    /// <summary>What the three heuristics answer on this thread.</summary>
    public static DnnAlgorithm[] Algorithms
    {
        get => _algorithms ??= [new DnnAlgorithm { Number = 1, Determinism = 1, Math = DnnMath.FusedMultiplyAdd }];
        set => _algorithms = value;
    }

    public static Cudnn Open()
    {
        (_lastHandle, _living, _algorithms) = (0, 0, null);
        Calls.Clear();
        return new Cudnn(new LibraryExports(Export, "libcudnn.so.9"));
    }

    private static nint Export(string name) => name switch
    {
        nameof(Cudnn.cudnnGetErrorString) => (nint)(delegate* unmanaged<int, byte*>)&GetErrorString,
        "cudnnCreate" or "cudnnCreateTensorDescriptor" or "cudnnCreateFilterDescriptor"
            or "cudnnCreateConvolutionDescriptor" or "cudnnCreateActivationDescriptor" =>
            (nint)(delegate* unmanaged<nint*, int>)&Create,
        nameof(Cudnn.cudnnSetTensor4dDescriptor) =>
            (nint)(delegate* unmanaged<nint, int, int, int, int, int, int, int>)&SetTensor,
        nameof(Cudnn.cudnnSetFilter4dDescriptor) =>
            (nint)(delegate* unmanaged<nint, int, int, int, int, int, int, int>)&SetFilter,
        nameof(Cudnn.cudnnSetConvolution2dDescriptor) =>
            (nint)(delegate* unmanaged<nint, int, int, int, int, int, int, int, int, int>)&SetConvolution,
        nameof(Cudnn.cudnnSetConvolutionMathType) => (nint)(delegate* unmanaged<nint, int, int>)&SetMath,
        nameof(Cudnn.cudnnSetActivationDescriptor) =>
            (nint)(delegate* unmanaged<nint, int, int, double, int>)&SetActivation,
        "cudnnGetConvolutionForwardAlgorithm_v7" or "cudnnGetConvolutionBackwardDataAlgorithm_v7"
            or "cudnnGetConvolutionBackwardFilterAlgorithm_v7" =>
            (nint)(delegate* unmanaged<nint, nint, nint, nint, nint, int, int*, DnnAlgorithm*, int>)&GetAlgorithms,
        nameof(Cudnn.cudnnConvolutionForward) => (nint)(delegate* unmanaged<
            nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, int>)&Forward,
        nameof(Cudnn.cudnnConvolutionBiasActivationForward) => (nint)(delegate* unmanaged<
            nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, nint, nint, nint, nint,
            nint, int>)&BiasActivationForward,
        nameof(Cudnn.cudnnConvolutionBackwardData) => (nint)(delegate* unmanaged<
            nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, int>)&BackwardData,
        nameof(Cudnn.cudnnConvolutionBackwardFilter) => (nint)(delegate* unmanaged<
            nint, float*, nint, nint, nint, nint, nint, int, nint, nuint, float*, nint, nint, int>)&BackwardFilter,
        nameof(Cudnn.cudnnSetStream) => (nint)(delegate* unmanaged<nint, nint, int>)&SetStream,
        _ => (nint)(delegate* unmanaged<nint, int>)&Destroy,
    };

    [UnmanagedCallersOnly]
    private static byte* GetErrorString(int status) => ErrorName;

    [UnmanagedCallersOnly]
    private static int Create(nint* created)
    {
        *created = ++_lastHandle;
        _living++;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Destroy(nint handle)
    {
        _living--;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int SetTensor(nint tensor, int format, int type, int n, int c, int h, int w) =>
        Note($"tensor {tensor}: format {format}, type {type}, {n}x{c}x{h}x{w}");

    [UnmanagedCallersOnly]
    private static int SetFilter(nint filter, int type, int format, int k, int c, int h, int w) =>
        Note($"filter {filter}: format {format}, type {type}, {k}x{c}x{h}x{w}");

    [UnmanagedCallersOnly]
    private static int SetConvolution(
        nint convolution, int padH, int padW, int strideH, int strideW, int dilationH, int dilationW, int mode,
        int type) =>
        Note($"convolution {convolution}: pad {padH} {padW}, stride {strideH} {strideW}, dilation {dilationH} " +
            $"{dilationW}, mode {mode}, type {type}");

    [UnmanagedCallersOnly]
    private static int SetMath(nint convolution, int math) => Note($"math {math}");

    [UnmanagedCallersOnly]
    private static int SetActivation(nint activation, int mode, int nan, double ceiling) =>
        Note($"activation {activation}: mode {mode}, nan {nan}");

    [UnmanagedCallersOnly]
    private static int SetStream(nint handle, nint stream) => 0;

    [UnmanagedCallersOnly]
    private static int GetAlgorithms(
        nint handle, nint a, nint b, nint convolution, nint c, int asked, int* count, DnnAlgorithm* found)
    {
        if (asked < Algorithms.Length) return BadParameter;
        *count = Algorithms.Length;
        Algorithms.CopyTo(new Span<DnnAlgorithm>(found, asked));
        return Note($"algorithms for {a} {b} {c}");
    }

    [UnmanagedCallersOnly]
    private static int Forward(
        nint handle, float* alpha, nint xTensor, nint x, nint filter, nint w, nint convolution, int algorithm,
        nint workspace, nuint bytes, float* beta, nint yTensor, nint y) =>
        Note($"y({yTensor}) {y} = {*alpha} x({xTensor}) {x} * w({filter}) {w} + {*beta} y, algorithm {algorithm}, " +
            $"{bytes} bytes");

    [UnmanagedCallersOnly]
    private static int BiasActivationForward(
        nint handle, float* alpha, nint xTensor, nint x, nint filter, nint w, nint convolution, int algorithm,
        nint workspace, nuint bytes, float* alpha2, nint zTensor, nint z, nint biasTensor, nint bias, nint activation,
        nint yTensor, nint y) =>
        Note($"y({yTensor}) {y} = relu({activation})({*alpha} x({xTensor}) {x} * w({filter}) {w} + {*alpha2} " +
            $"z({zTensor}) {z} + bias({biasTensor}) {bias}), algorithm {algorithm}, {bytes} bytes");

    [UnmanagedCallersOnly]
    private static int BackwardData(
        nint handle, float* alpha, nint filter, nint w, nint dyTensor, nint dy, nint convolution, int algorithm,
        nint workspace, nuint bytes, float* beta, nint dxTensor, nint dx) =>
        Note($"dx({dxTensor}) {dx} = {*alpha} w({filter}) {w} * dy({dyTensor}) {dy} + {*beta} dx, " +
            $"algorithm {algorithm}, {bytes} bytes");

    [UnmanagedCallersOnly]
    private static int BackwardFilter(
        nint handle, float* alpha, nint xTensor, nint x, nint dyTensor, nint dy, nint convolution, int algorithm,
        nint workspace, nuint bytes, float* beta, nint dwFilter, nint dw) =>
        Note($"dw({dwFilter}) {dw} = {*alpha} x({xTensor}) {x} * dy({dyTensor}) {dy} + {*beta} dw, " +
            $"algorithm {algorithm}, {bytes} bytes");

    private static int Note(string call)
    {
        Calls.Add(call);
        return 0;
    }
}
