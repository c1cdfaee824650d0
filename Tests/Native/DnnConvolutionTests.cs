using EfficientAD.Native.Dnn;
using EfficientAD.Native.Libraries;

namespace EfficientAD.Tests.Native;

/// <summary>Which calls of cuDNN a convolution makes, with which arguments; nothing is computed.</summary>
public sealed class DnnConvolutionTests : IDisposable
{
    // In the order in which DnnConvolution creates them, after the library's handle.
    private const int Input = 2, Bias = 3, Output = 4, Filter = 5, Convolution = 6, Activation = 7;

    private static readonly DnnConvolutionShape Shape = new(2, 3, 11, 9, 5, 4, 3, 2, 1);

    private readonly SimulatedContext _simulated = new();
    private readonly DnnHandle _dnn;

    public DnnConvolutionTests() => _dnn = DnnHandle.TryOpen(
        _simulated.Context, CudnnStub.Open(), new CudaLibrary("cuDNN", new Version(9, 6, 0), "libcudnn.so.9", null))!;

    public void Dispose()
    {
        _dnn.Dispose();
        _simulated.Dispose();
    }

    [Fact]
    public void Float32_IsDescribedPlaneByPlane()
    {
        using var convolution = new DnnConvolution(_dnn, Shape, LibraryPrecision.Float32, 0);
        Assert.Equal(
            [
                $"tensor {Input}: format 0, type 0, 2x3x11x9",
                $"tensor {Bias}: format 0, type 0, 1x5x1x1",
                $"tensor {Output}: format 0, type 0, 2x5x5x5",
                $"filter {Filter}: format 0, type 0, 5x3x4x3",
                $"convolution {Convolution}: pad 1 1, stride 2 2, dilation 1 1, mode 1, type 0",
                "math 3",
                $"activation {Activation}: mode 1, nan 1",
            ],
            CudnnStub.Calls);
    }

    [Fact]
    public void Half_IsDescribedPixelByPixel()
    {
        using var convolution = new DnnConvolution(_dnn, Shape, LibraryPrecision.Float16, 0);
        Assert.Contains($"tensor {Input}: format 1, type 2, 2x3x11x9", CudnnStub.Calls);
        Assert.Contains($"filter {Filter}: format 1, type 2, 5x3x4x3", CudnnStub.Calls);
        Assert.Contains("math 1", CudnnStub.Calls);
    }

    [Fact]
    public void Runs_PassEachTensorInItsPlace()
    {
        using var convolution = new DnnConvolution(_dnn, Shape, LibraryPrecision.Float32, 0);
        Assert.Equal(0, convolution.PrepareForward());
        Assert.Equal(0, convolution.PrepareInputGradient());
        Assert.Equal(0, convolution.PrepareWeightGradient());
        Assert.Equal(
            [
                $"algorithms for {Input} {Filter} {Output}", $"algorithms for {Filter} {Output} {Input}",
                $"algorithms for {Input} {Output} {Filter}",
            ],
            CudnnStub.Calls[7..]);
        CudnnStub.Calls.Clear();

        const nint x = 101, w = 102, b = 103, y = 104;
        convolution.Forward(_simulated.Stream, x, w, 0, y);
        convolution.ForwardWithBiasAndRelu(_simulated.Stream, x, w, b, 0, y);
        convolution.InputGradient(_simulated.Stream, w, y, 0, x);
        convolution.WeightGradient(_simulated.Stream, x, y, 0, w);
        CudnnStub.Calls.RemoveAll(call => call == "math 3");
        Assert.Equal(
            [
                $"y({Output}) 104 = 1 x({Input}) 101 * w({Filter}) 102 + 0 y, algorithm 1, 0 bytes",
                $"y({Output}) 104 = relu({Activation})(1 x({Input}) 101 * w({Filter}) 102 + 0 z({Output}) 104 + " +
                    $"bias({Bias}) 103), algorithm 1, 0 bytes",
                $"dx({Input}) 101 = 1 w({Filter}) 102 * dy({Output}) 104 + 1 dx, algorithm 1, 0 bytes",
                $"dw({Filter}) 102 = 1 x({Input}) 101 * dy({Output}) 104 + 1 dw, algorithm 1, 0 bytes",
            ],
            CudnnStub.Calls);
    }

    [Fact]
    public void FirstAlgorithm_ThatFitsAndRepeatsItsBits_IsTaken()
    {
        CudnnStub.Algorithms =
        [
            new() { Number = 1, Status = DnnStatus.NotSupported, Determinism = 1, Math = DnnMath.FusedMultiplyAdd },
            new() { Number = 2, Determinism = 0, Math = DnnMath.FusedMultiplyAdd },
            new() { Number = 3, Determinism = 1, Math = DnnMath.FusedMultiplyAdd, WorkspaceBytes = 1001 },
            new() { Number = 4, Determinism = 1, Math = DnnMath.Default },
            new() { Number = 5, Determinism = 1, Math = DnnMath.FusedMultiplyAdd, WorkspaceBytes = 1000 },
        ];
        using var exact = new DnnConvolution(_dnn, Shape, LibraryPrecision.Float32, 1000);
        Assert.Equal(1000, exact.PrepareForward());
        exact.Forward(_simulated.Stream, 1, 2, 3, 4);
        Assert.EndsWith("algorithm 5, 1000 bytes", CudnnStub.Calls[^1]);

        using var rounded = new DnnConvolution(_dnn, Shape, LibraryPrecision.TensorFloat32, 1000);
        Assert.Equal(0, rounded.PrepareForward());
        rounded.Forward(_simulated.Stream, 1, 2, 3, 4);
        Assert.EndsWith("algorithm 4, 0 bytes", CudnnStub.Calls[^1]);
        Assert.Equal("math 0", CudnnStub.Calls[^2]);

        using var small = new DnnConvolution(_dnn, Shape, LibraryPrecision.Float32, 999);
        Assert.Null(small.PrepareForward());
        Assert.Throws<InvalidOperationException>(() => small.Forward(_simulated.Stream, 1, 2, 3, 4));
        Assert.Throws<InvalidOperationException>(() => small.WeightGradient(_simulated.Stream, 1, 2, 3, 4));
    }

    [Fact]
    public void Everything_IsDestroyed()
    {
        int before = CudnnStub.Living;
        var convolution = new DnnConvolution(_dnn, Shape, LibraryPrecision.Float32, 0);
        Assert.Equal(before + 6, CudnnStub.Living);
        convolution.Dispose();
        convolution.Dispose();
        Assert.Equal(before, CudnnStub.Living);
    }
}
