using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Native;
using EfficientAD.Native.Dnn;
using EfficientAD.Native.Libraries;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Native;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>Our kernels on the simulator beside a cuDNN that only notes what it is asked.</summary>
public sealed class TunedConvolutionTests : IDisposable
{
    private static readonly Shape InputShape = new(1, 3, 9, 8), WeightShape = new(5, 3, 4, 4);
    private static readonly Shape OutputShape = new(1, 5, 6, 5);

    private readonly SimulatedContext _simulated = new();
    private readonly TemporaryFolder _folder = new();
    private readonly KernelLibrary _files;
    private readonly Scratch _scratch;
    private readonly CudaConvolution _kernels;
    private readonly TunedConvolution _tuned;
    private readonly Tensor _input, _weights, _bias, _output;
    private readonly Queue<double> _times = new();

    public TunedConvolutionTests()
    {
        _files = new KernelLibrary(_simulated.Context);
        _scratch = new Scratch(_simulated.Stream);
        _kernels = new CudaConvolution(_simulated.Stream, _files, _scratch, CudaPrecision.Full);
        var description = new CudaLibrary("cuDNN", new Version(9, 6, 0), "libcudnn.so.9", null);
        DnnHandle dnn = DnnHandle.TryOpen(_simulated.Context, CudnnStub.Open(), description)!;
        _tuned = new TunedConvolution(
            _simulated.Stream, _kernels,
            new LibraryConvolution(_simulated.Stream, _kernels, _scratch, dnn, CudaPrecision.Full),
            new TuningCache(Path.Combine(_folder.Path, "choices.json"), "card"), CudaPrecision.Full, Time);
        (_input, _weights) = (Filled(InputShape, 1), Filled(WeightShape, 2));
        (_bias, _output) = (Filled(Shape.Vector(5), 3), Filled(OutputShape, 0));
    }

    public void Dispose()
    {
        _tuned.Dispose();
        foreach (Tensor tensor in (Tensor[])[_input, _weights, _bias, _output]) tensor.Dispose();
        _scratch.Dispose();
        _files.Dispose();
        _simulated.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void FasterLibrary_ComputesFromThenOn()
    {
        Measured(kernel: 2, library: 1);
        _tuned.Run(Forward(relu: true));
        _simulated.Stream.Fill(0, _output.Address, OutputShape.Count);  // the trial of our kernel wrote it
        CudnnStub.Calls.Clear();
        _tuned.Run(Forward(relu: true));
        Assert.StartsWith("math", CudnnStub.Calls[0]);
        Assert.Contains($" {_output.Address} = relu(", CudnnStub.Calls[1]);
        Assert.All(Read(_output), value => Assert.Equal(0, value));
    }

    [Fact]
    public void FasterKernel_ComputesFromThenOn()
    {
        Measured(kernel: 1, library: 2);
        _tuned.Run(Forward(relu: true));
        CudnnStub.Calls.Clear();
        _tuned.Run(Forward(relu: true));
        Assert.Empty(CudnnStub.Calls);
        // 48 products of 1 and 2, and a bias of 3.
        Assert.All(Read(_output), value => Assert.Equal(99, value));
    }

    [Fact]
    public void BiasWithoutRelu_IsAddedByOurKernel()
    {
        nint sums = _scratch.Reserve(OutputShape.Count * sizeof(float));
        _simulated.Stream.Fill(BitConverter.SingleToUInt32Bits(-7), sums, OutputShape.Count);
        Measured(kernel: 2, library: 1);
        _tuned.Run(Forward(relu: false));
        Assert.EndsWith(
            $" {sums} = 1 x(2) {_input.Address} * w(5) {_weights.Address} + 0 y, algorithm 1, 0 bytes",
            CudnnStub.Calls[^1]);
        Assert.All(Read(_output), value => Assert.Equal(-4, value));
    }

    /// <summary>Both ways are run to be measured, and the kernel's way adds to what it is given.</summary>
    [Fact]
    public void Measuring_LeavesGradientsAlone()
    {
        using Tensor weightGradient = Filled(WeightShape, 0), biasGradient = Filled(Shape.Vector(5), 0);
        using Tensor inputGradient = Filled(InputShape, 0), outputGradient = Filled(OutputShape, 1);
        var geometry = Convolution2dGeometry.Valid;
        Measured(kernel: 1, library: 2);
        _tuned.Run(new ConvolutionCall(
            ConvolutionDirection.WeightGradient, geometry, _input, weightGradient, biasGradient, outputGradient));
        Assert.All(Read(weightGradient), value => Assert.Equal(OutputShape.Plane, value));
        Assert.All(Read(biasGradient), value => Assert.Equal(OutputShape.Plane, value));

        Measured(kernel: 1, library: 2);
        _tuned.Run(new ConvolutionCall(
            ConvolutionDirection.InputGradient, geometry, inputGradient, _weights, null, outputGradient));
        Assert.Equal(10, Read(inputGradient)[0]);  // one tap of 2 in each of 5 channels
    }

    [Fact]
    public void WhileCaptured_OurKernelRunsAndNothingIsMeasured()
    {
        ConvolutionCall call = Forward(relu: true);
        _kernels.Run(call);  // loads kernels and packs weights, which a capture cannot
        _simulated.Stream.Fill(0, _output.Address, OutputShape.Count);
        using CudaGraph graph = _simulated.Stream.Capture(() => _tuned.Run(Forward(relu: true)));
        graph.Launch(_simulated.Stream);
        Assert.All(Read(_output), value => Assert.Equal(99, value));
        Measured(kernel: 2, library: 1);
        _tuned.Run(call);
        Assert.Empty(_times);
    }

    [Fact]
    public void LibraryWithoutAWay_IsNotMeasured()
    {
        CudnnStub.Algorithms = [new() { Number = 0, Determinism = 0, Math = DnnMath.FusedMultiplyAdd }];
        _tuned.Run(Forward(relu: true));
        Assert.All(Read(_output), value => Assert.Equal(99, value));
    }

    private ConvolutionCall Forward(bool relu) =>
        new(ConvolutionDirection.Forward, Convolution2dGeometry.Valid, _input, _weights, _bias, _output, relu);

    private void Measured(double kernel, double library)
    {
        _times.Enqueue(kernel);
        _times.Enqueue(library);
    }

    private double Time(Action work)
    {
        work();
        return _times.Dequeue();
    }

    private Tensor Filled(Shape shape, float value)
    {
        var memory = new DeviceBuffer(_simulated.Stream, shape.Count * sizeof(float));
        _simulated.Stream.Fill(BitConverter.SingleToUInt32Bits(value), memory.Address, shape.Count);
        return new Tensor(shape, memory.Address, memory);
    }

    private float[] Read(Tensor tensor)
    {
        float[] values = new float[tensor.Shape.Count];
        _simulated.Stream.Download(tensor.Address, values);
        return values;
    }
}
