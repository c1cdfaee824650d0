namespace EfficientAD.Native.Dnn;

public sealed unsafe partial class DnnConvolution
{
    private DnnAlgorithm? _forward, _dataGradient, _weightGradient;

    /// <summary>Chooses how to run forward.</summary>
    /// <returns>The bytes of workspace it takes; null where cuDNN has nothing that fits.</returns>
    public long? PrepareForward() => Choose(
        Library.cudnnGetConvolutionForwardAlgorithm_v7, nameof(Library.cudnnGetConvolutionForwardAlgorithm_v7),
        _input, _weights, _output, out _forward);

    /// <summary>Chooses how to compute the gradient of the input; as <see cref="PrepareForward"/>.</summary>
    public long? PrepareInputGradient() => Choose(
        Library.cudnnGetConvolutionBackwardDataAlgorithm_v7,
        nameof(Library.cudnnGetConvolutionBackwardDataAlgorithm_v7), _weights, _output, _input, out _dataGradient);

    /// <summary>Chooses how to compute the gradient of the weights; as <see cref="PrepareForward"/>.</summary>
    public long? PrepareWeightGradient() => Choose(
        Library.cudnnGetConvolutionBackwardFilterAlgorithm_v7,
        nameof(Library.cudnnGetConvolutionBackwardFilterAlgorithm_v7),
        _input, _output, _weights, out _weightGradient);

    /// <summary>output = input * weights, overwritten.</summary>
    /// <param name="workspace">Address of as many bytes as <see cref="PrepareForward"/> returned.</param>
    public void Forward(CudaStream stream, nint input, nint weights, nint workspace, nint output)
    {
        DnnAlgorithm algorithm = Chosen(_forward, nameof(PrepareForward));
        using CudaContext.Scope scope = _dnn.Context.Enter();
        Prepare(stream, algorithm);
        float one = 1, zero = 0;
        Library.ThrowIfFailed(Library.cudnnConvolutionForward(
            _dnn.Handle, &one, _input, input, _weights, weights, _convolution, algorithm.Number, workspace,
            algorithm.WorkspaceBytes, &zero, _output, output));
        GC.KeepAlive(stream);
    }

    /// <summary>output = max(input * weights + bias, 0), overwritten, in one call.</summary>
    /// <param name="bias">A value per output channel.</param>
    /// <param name="workspace">Address of as many bytes as <see cref="PrepareForward"/> returned.</param>
    public void ForwardWithBiasAndRelu(
        CudaStream stream, nint input, nint weights, nint bias, nint workspace, nint output)
    {
        DnnAlgorithm algorithm = Chosen(_forward, nameof(PrepareForward));
        using CudaContext.Scope scope = _dnn.Context.Enter();
        Prepare(stream, algorithm);
        float one = 1, zero = 0;
        // The summand that is multiplied by zero must be given all the same; the output serves.
        Library.ThrowIfFailed(Library.cudnnConvolutionBiasActivationForward(
            _dnn.Handle, &one, _input, input, _weights, weights, _convolution, algorithm.Number, workspace,
            algorithm.WorkspaceBytes, &zero, _output, output, _bias, bias, _activation, _output, output));
        GC.KeepAlive(stream);
    }

    /// <summary>Adds to the gradient of the input.</summary>
    /// <param name="workspace">Address of as many bytes as <see cref="PrepareInputGradient"/> returned.</param>
    public void InputGradient(CudaStream stream, nint weights, nint outputGradient, nint workspace, nint inputGradient)
    {
        DnnAlgorithm algorithm = Chosen(_dataGradient, nameof(PrepareInputGradient));
        using CudaContext.Scope scope = _dnn.Context.Enter();
        Prepare(stream, algorithm);
        float one = 1;
        Library.ThrowIfFailed(Library.cudnnConvolutionBackwardData(
            _dnn.Handle, &one, _weights, weights, _output, outputGradient, _convolution, algorithm.Number, workspace,
            algorithm.WorkspaceBytes, &one, _input, inputGradient));
        GC.KeepAlive(stream);
    }

    /// <summary>Adds to the gradient of the weights.</summary>
    /// <param name="workspace">Address of as many bytes as <see cref="PrepareWeightGradient"/> returned.</param>
    public void WeightGradient(CudaStream stream, nint input, nint outputGradient, nint workspace, nint weightGradient)
    {
        DnnAlgorithm algorithm = Chosen(_weightGradient, nameof(PrepareWeightGradient));
        using CudaContext.Scope scope = _dnn.Context.Enter();
        Prepare(stream, algorithm);
        float one = 1;
        Library.ThrowIfFailed(Library.cudnnConvolutionBackwardFilter(
            _dnn.Handle, &one, _input, input, _output, outputGradient, _convolution, algorithm.Number, workspace,
            algorithm.WorkspaceBytes, &one, _weights, weightGradient));
        GC.KeepAlive(stream);
    }

    /// <param name="query">Lists the algorithms of one direction, the fastest first; <paramref name="function"/> is its
    /// name.</param>
    private long? Choose(
        delegate* unmanaged<nint, nint, nint, nint, nint, int, int*, DnnAlgorithm*, DnnStatus> query, string function,
        nint first, nint second, nint result, out DnnAlgorithm? chosen)
    {
        using CudaContext.Scope scope = _dnn.Context.Enter();
        DnnAlgorithm* found = stackalloc DnnAlgorithm[MaximumAlgorithms];
        int count;
        Library.ThrowIfFailed(
            query(_dnn.Handle, first, second, _convolution, result, MaximumAlgorithms, &count, found), function);
        chosen = FirstUsable(new ReadOnlySpan<DnnAlgorithm>(found, count));
        return (long?)chosen?.WorkspaceBytes;
    }

    private static DnnAlgorithm Chosen(DnnAlgorithm? algorithm, string preparation) => algorithm
        ?? throw new InvalidOperationException(
            $"DnnConvolution: call {preparation} first, and run only if it finds a way.");
}
