using EfficientAD.Native;
using EfficientAD.Native.Dnn;
using EfficientAD.Native.Libraries;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

/// <summary>Convolutions by cuDNN, with bias and rectifier by our kernels where cuDNN does not add them
/// itself.</summary>
/// <remarks>Has not run on a device yet: nothing takes this way unless <see cref="CudaOptions.UseLibraries"/> asks for
/// it.</remarks>
/// <param name="dnn">Disposed with this.</param>
internal sealed class LibraryConvolution(
    CudaStream stream, CudaConvolution kernels, Scratch scratch, DnnHandle dnn, CudaPrecision precision) : IDisposable
{
    /// <summary>Most memory of one call beside its operands.</summary>
    private const long MaximumWorkspaceBytes = 256L << 20;

    private readonly Dictionary<(ConvolutionDirection, ConvolutionShape), Prepared> _prepared = [];

    /// <summary>Whether cuDNN has a way that repeats its bits and keeps the precision.</summary>
    /// <remarks>In half precision our kernels convert layouts as they go; cuDNN's would need passes of their
    /// own.</remarks>
    public bool CanRun(in ConvolutionCall call) =>
        precision != CudaPrecision.Half && Prepare(call).WorkspaceBytes is not null;

    /// <summary>Gives the call to the stream; only where <see cref="CanRun"/>.</summary>
    public void Run(in ConvolutionCall call)
    {
        (DnnConvolution convolution, long? workspaceBytes) = Prepare(call);
        long bytes = workspaceBytes!.Value;
        switch (call.Direction)
        {
            case ConvolutionDirection.Forward:
                Forward(convolution, bytes, call);
                break;
            case ConvolutionDirection.InputGradient:
                convolution.InputGradient(
                    stream, call.Weights.Address, call.Output.Address, Workspace(bytes), call.Input.Address);
                break;
            default:
                convolution.WeightGradient(
                    stream, call.Input.Address, call.Output.Address, Workspace(bytes), call.Weights.Address);
                kernels.BiasGradient(call);
                break;
        }
    }

    public void Dispose()
    {
        foreach (Prepared prepared in _prepared.Values) prepared.Convolution.Dispose();
        dnn.Dispose();
    }

    private void Forward(DnnConvolution convolution, long bytes, in ConvolutionCall call)
    {
        (nint input, nint weights, nint output) = (call.Input.Address, call.Weights.Address, call.Output.Address);
        if (call.Bias is { } bias && call.Relu)
        {
            convolution.ForwardWithBiasAndRelu(stream, input, weights, bias.Address, Workspace(bytes), output);
        }
        else if (call.Bias is null && !call.Relu)
        {
            convolution.Forward(stream, input, weights, Workspace(bytes), output);
        }
        else
        {
            long sumBytes = Scratch.Align(call.Output.Shape.Count * sizeof(float));
            nint sums = scratch.Reserve(sumBytes + bytes);
            convolution.Forward(stream, input, weights, sums + (nint)sumBytes, sums);
            kernels.AddParts(sums, 1, call);
        }
    }

    private nint Workspace(long bytes) => bytes == 0 ? 0 : scratch.Reserve(bytes);

    private Prepared Prepare(in ConvolutionCall call)
    {
        (ConvolutionDirection, ConvolutionShape) key = (call.Direction, call.Shape);
        if (_prepared.TryGetValue(key, out Prepared known)) return known;
        (Shape input, Shape weights) = (call.Input.Shape, call.Weights.Shape);
        var shape = new DnnConvolutionShape(
            input.N, input.C, input.H, input.W, weights.N, weights.H, weights.W,
            call.Geometry.Stride, call.Geometry.Padding);
        LibraryPrecision arithmetic =
            precision == CudaPrecision.Tf32 ? LibraryPrecision.TensorFloat32 : LibraryPrecision.Float32;
        var convolution = new DnnConvolution(dnn, shape, arithmetic, MaximumWorkspaceBytes);
        long? workspace = call.Direction switch
        {
            ConvolutionDirection.Forward => convolution.PrepareForward(),
            ConvolutionDirection.InputGradient => convolution.PrepareInputGradient(),
            _ => convolution.PrepareWeightGradient(),
        };
        return _prepared[key] = new Prepared(convolution, workspace);
    }

    /// <param name="WorkspaceBytes">Null where cuDNN has no way.</param>
    private readonly record struct Prepared(DnnConvolution Convolution, long? WorkspaceBytes);
}
