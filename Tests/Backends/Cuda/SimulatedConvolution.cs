using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>Runs convolutions by our kernels on a simulated device, by whatever plan a test likes.</summary>
internal sealed class SimulatedConvolution : IDisposable
{
    private readonly CudaPrecision _precision;
    private readonly CudaContext _context;
    private readonly CudaConvolution _convolution;
    private readonly Scratch _scratch;

    public SimulatedConvolution(SimulatedGpu gpu, CudaPrecision precision)
    {
        _precision = precision;
        _context = CudaContext.Open(SimulatedGpu.Driver, gpu.Ordinal);
        Stream = new CudaStream(_context);
        Kernels = new KernelLibrary(_context);
        _scratch = new Scratch(Stream);
        Backend = new CudaBackend(_context, Stream);
        _convolution = new CudaConvolution(Stream, Kernels, _scratch, precision);
    }

    public CudaBackend Backend { get; }

    public CudaStream Stream { get; }

    public KernelLibrary Kernels { get; }

    public ConvolutionArithmetic ArithmeticOf(ConvolutionDirection direction, Convolution2dGeometry geometry) =>
        ConvolutionArithmetic.Of(_precision, direction, geometry, _context.Device.ComputeCapability);

    /// <summary>What one direction of a case writes, into zeros where it accumulates.</summary>
    /// <param name="plan">Null: the one that the device gets.</param>
    /// <param name="exponent">The output gradient is multiplied with so many powers of two.</param>
    public float[] Run(
        ConvolutionCase c, ConvolutionDirection direction, ConvolutionPlan? plan = null, int exponent = 0)
    {
        using Tensor input = Backend.Allocate(c.InputShape), weights = Backend.Allocate(c.WeightShape);
        using Tensor bias = Backend.Allocate(Shape.Vector(c.Co)), output = Backend.Allocate(c.OutputShape);
        var call = new ConvolutionCall(direction, c.Geometry, input, weights, bias, output, c.Relu);
        if (direction == ConvolutionDirection.InputGradient) call = call with { Bias = null };
        if (direction != ConvolutionDirection.InputGradient) Backend.Upload(c.Input.ToFloats(), input);
        if (direction != ConvolutionDirection.WeightGradient) Backend.Upload(c.Weights.ToFloats(), weights);
        if (direction == ConvolutionDirection.Forward) Backend.Upload(c.Bias.ToFloats(), bias);
        else Backend.Upload(c.OutputGradient.Map(value => Math.ScaleB(value, exponent)).ToFloats(), output);
        if (plan is null) _convolution.Run(call);
        else _convolution.Run(call, plan);
        Tensor written = direction switch
        {
            ConvolutionDirection.Forward => output,
            ConvolutionDirection.InputGradient => input,
            _ => weights,
        };
        var values = new float[written.Shape.Count];
        Backend.Download(written, values);
        return values;
    }

    public void Dispose()
    {
        Backend.Dispose();
        _scratch.Dispose();
        Kernels.Dispose();
        Stream.Dispose();
        _context.Dispose();
    }
}
