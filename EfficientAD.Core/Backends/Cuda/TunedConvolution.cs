using EfficientAD.Native;
using EfficientAD.Native.Dnn;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

/// <summary>Convolutions by whichever is faster for each shape, our kernel or cuDNN.</summary>
internal sealed class TunedConvolution : IDisposable
{
    private readonly CudaStream _stream;
    private readonly CudaConvolution _kernels;
    private readonly LibraryConvolution _library;
    private readonly ConvolutionTuner _tuner;
    private readonly CudaPrecision _precision;
    private readonly StreamTimer _timer;

    /// <param name="library">Disposed with this.</param>
    /// <param name="time">Milliseconds that work takes; null to measure on the stream.</param>
    public TunedConvolution(
        CudaStream stream, CudaConvolution kernels, LibraryConvolution library, TuningCache cache,
        CudaPrecision precision, Func<Action, double>? time = null)
    {
        (_stream, _kernels, _library, _precision) = (stream, kernels, library, precision);
        _timer = new StreamTimer(stream);
        _tuner = new ConvolutionTuner(cache, time ?? _timer.Milliseconds);
    }

    /// <summary>Null where cuDNN is not installed, or not as this version knows it.</summary>
    public static TunedConvolution? TryOpen(
        CudaStream stream, CudaConvolution kernels, Scratch scratch, CudaPrecision precision)
    {
        CudaContext context = stream.Context;
        if (DnnHandle.TryOpen(context) is not { } dnn) return null;
        string environment = $"{context.Device.Name}; driver {context.DriverVersion}; " +
            $"cuDNN {dnn.Description.Version}; kernels {KernelLibrary.HashOf("convolution2d")}";
        return new TunedConvolution(
            stream, kernels, new LibraryConvolution(stream, kernels, scratch, dnn, precision),
            new TuningCache(TuningCache.PathOf("convolutions.json"), environment), precision);
    }

    /// <summary>Gives the call to the stream. The first of a shape is measured, which waits for the device; while the
    /// stream is captured our kernel runs instead, and nothing is remembered.</summary>
    public void Run(in ConvolutionCall call)
    {
        if (WayOf(call) == ConvolutionWay.Library) _library.Run(call);
        else _kernels.Run(call);
    }

    public void Dispose()
    {
        _library.Dispose();
        _timer.Dispose();
    }

    private ConvolutionWay WayOf(in ConvolutionCall call)
    {
        var problem = ConvolutionProblem.Of(call, _precision);
        if (_tuner.Find(problem) is { } known)
            return known == ConvolutionWay.Library && _library.CanRun(call) ? known : ConvolutionWay.Kernel;
        if (_stream.IsCapturing || !_library.CanRun(call)) return ConvolutionWay.Kernel;
        return Measure(problem, call);
    }

    /// <summary>A gradient is accumulated into, so the trial gets a destination of its own; an output is overwritten
    /// anyway.</summary>
    private ConvolutionWay Measure(in ConvolutionProblem problem, in ConvolutionCall call)
    {
        Tensor? written = call.Direction switch
        {
            ConvolutionDirection.InputGradient => Zeros(call.Input.Shape),
            ConvolutionDirection.WeightGradient => Zeros(call.Weights.Shape),
            _ => null,
        };
        ConvolutionCall trial = call.Direction switch
        {
            ConvolutionDirection.InputGradient => call with { Input = written! },
            ConvolutionDirection.WeightGradient => call with { Weights = written!, Bias = null },
            _ => call,
        };
        try
        {
            return _tuner.Measure(problem, () => _kernels.Run(trial), () => _library.Run(trial));
        }
        finally
        {
            written?.Dispose();
        }
    }

    private Tensor Zeros(Shape shape)
    {
        var memory = new DeviceBuffer(_stream, shape.Count * sizeof(float));
        _stream.Fill(0, memory.Address, shape.Count);
        return new Tensor(shape, memory.Address, memory);
    }
}
