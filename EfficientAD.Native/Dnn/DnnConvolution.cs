using EfficientAD.Native.Libraries;

namespace EfficientAD.Native.Dnn;

/// <summary>A convolution by cuDNN, prepared for one shape: forward with bias and rectifier, and both
/// gradients.</summary>
/// <remarks>Tensors are [n, c, h, w] without gaps; in fp16 [n, h, w, c], where the tensor cores are. Only algorithms
/// that give the same bits on a second run are used. Not thread-safe.</remarks>
public sealed unsafe partial class DnnConvolution : IDisposable
{
    private const int MaximumAlgorithms = 16;

    private readonly DnnHandle _dnn;
    private readonly DnnMath _math;
    private nint _input, _weights, _bias, _output, _convolution, _activation;

    /// <param name="maximumWorkspaceBytes">Most memory that a run may take beside its operands.</param>
    public DnnConvolution(
        DnnHandle dnn, DnnConvolutionShape shape, LibraryPrecision precision, long maximumWorkspaceBytes)
    {
        (_dnn, MaximumWorkspaceBytes) = (dnn, maximumWorkspaceBytes);
        _math = precision switch
        {
            LibraryPrecision.Float32 => DnnMath.FusedMultiplyAdd,
            LibraryPrecision.TensorFloat32 => DnnMath.Default,
            _ => DnnMath.TensorCores,
        };
        try
        {
            Describe(shape, precision == LibraryPrecision.Float16);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Most memory that a run may take beside its operands.</summary>
    public long MaximumWorkspaceBytes { get; }

    private Cudnn Library => _dnn.Library;

    public void Dispose()
    {
        if (_input != 0) Library.cudnnDestroyTensorDescriptor(_input);
        if (_weights != 0) Library.cudnnDestroyFilterDescriptor(_weights);
        if (_bias != 0) Library.cudnnDestroyTensorDescriptor(_bias);
        if (_output != 0) Library.cudnnDestroyTensorDescriptor(_output);
        if (_convolution != 0) Library.cudnnDestroyConvolutionDescriptor(_convolution);
        if (_activation != 0) Library.cudnnDestroyActivationDescriptor(_activation);
        _input = _weights = _bias = _output = _convolution = _activation = 0;
    }

    private void Describe(DnnConvolutionShape shape, bool isHalf)
    {
        (DnnDataType type, DnnFormat format) =
            isHalf ? (DnnDataType.Float16, DnnFormat.Nhwc) : (DnnDataType.Float32, DnnFormat.Nchw);
        _input = Tensor(shape.Batch, shape.InputChannels, shape.Height, shape.Width);
        _bias = Tensor(1, shape.OutputChannels, 1, 1);
        _output = Tensor(shape.Batch, shape.OutputChannels, shape.OutputHeight, shape.OutputWidth);
        nint created;
        Library.ThrowIfFailed(Library.cudnnCreateFilterDescriptor(&created));
        _weights = created;
        Library.ThrowIfFailed(Library.cudnnSetFilter4dDescriptor(
            _weights, type, format, shape.OutputChannels, shape.InputChannels, shape.KernelHeight, shape.KernelWidth));
        Library.ThrowIfFailed(Library.cudnnCreateConvolutionDescriptor(&created));
        _convolution = created;
        Library.ThrowIfFailed(Library.cudnnSetConvolution2dDescriptor(
            _convolution, shape.Padding, shape.Padding, shape.Stride, shape.Stride, 1, 1,
            DnnConvolutionMode.CrossCorrelation, DnnDataType.Float32));
        Library.ThrowIfFailed(Library.cudnnSetConvolutionMathType(_convolution, _math));
        Library.ThrowIfFailed(Library.cudnnCreateActivationDescriptor(&created));
        _activation = created;
        Library.ThrowIfFailed(
            Library.cudnnSetActivationDescriptor(_activation, DnnActivation.Relu, DnnNan.Propagate, 0));

        nint Tensor(int n, int c, int h, int w)
        {
            nint tensor;
            Library.ThrowIfFailed(Library.cudnnCreateTensorDescriptor(&tensor));
            Library.ThrowIfFailed(Library.cudnnSetTensor4dDescriptor(tensor, format, type, n, c, h, w));
            return tensor;
        }
    }

    /// <summary>The library's first choice that repeats its bits, fits the workspace and keeps the precision; null
    /// where there is none.</summary>
    private DnnAlgorithm? FirstUsable(ReadOnlySpan<DnnAlgorithm> found)
    {
        foreach (DnnAlgorithm algorithm in found)
        {
            bool keepsPrecision = _math != DnnMath.FusedMultiplyAdd || algorithm.Math == DnnMath.FusedMultiplyAdd;
            if (algorithm.Status == DnnStatus.Success && algorithm.Determinism == 1 && keepsPrecision
                && algorithm.WorkspaceBytes <= (nuint)MaximumWorkspaceBytes)
            {
                return algorithm;
            }
        }
        return null;
    }

    /// <summary>Sets what the next call takes from the handle and the descriptor.</summary>
    private void Prepare(CudaStream stream, DnnAlgorithm algorithm)
    {
        ObjectDisposedException.ThrowIf(_convolution == 0, this);
        Library.ThrowIfFailed(Library.cudnnSetStream(_dnn.Handle, stream.Handle));
        Library.ThrowIfFailed(Library.cudnnSetConvolutionMathType(_convolution, algorithm.Math));
    }
}
