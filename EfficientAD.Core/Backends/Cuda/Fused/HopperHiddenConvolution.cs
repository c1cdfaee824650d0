using EfficientAD.Native;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>A hidden layer of teacher and student in one launch, by the tensor cores and the copy engine of a Hopper
/// GPU: convolution, bias, ReLU and, if asked for, the 2 x 2 average pool, in half precision with sums in
/// float32.</summary>
/// <remarks>No GPU has run it yet.</remarks>
internal sealed class HopperHiddenConvolution : IHiddenConvolution
{
    private readonly CudaKernel _kernel;
    private readonly DeviceBuffer _weights, _bias;
    private readonly TensorMap _inputMap, _weightsMap;
    private readonly int _inputs, _teacherOutputs, _outputs, _size;
    private readonly bool _pool;
    private (nint Input, int N, int H, int W) _described;

    /// <param name="teacher">[co, ci, k, k]; co a multiple of 128, ci of 64, k up to 4.</param>
    /// <param name="student">The same, co may differ.</param>
    /// <exception cref="NotSupportedException">The device is of another compute capability than 9.0.</exception>
    public HopperHiddenConvolution(
        CudaStream stream, KernelLibrary kernels, LayerWeights teacher, LayerWeights student, bool pool)
    {
        if (teacher.Shape.SampleCount != student.Shape.SampleCount
            || teacher.Shape.H is not (>= 1 and <= HopperKernel.MostTaps))
        {
            throw new ArgumentException(
                $"HopperHiddenConvolution: teacher {teacher.Shape} and student {student.Shape} must have the same " +
                $"inputs and a kernel of up to {HopperKernel.MostTaps} rows.");
        }

        (_inputs, _size, _pool) = (teacher.Shape.C, teacher.Shape.H, pool);
        (_teacherOutputs, _outputs) = (teacher.Shape.N, teacher.Shape.N + student.Shape.N);
        (_inputMap, _weightsMap) = (new TensorMap(stream.Context), new TensorMap(stream.Context));
        _kernel = kernels.Get(HopperKernel.File, pool ? "fused_pooled_hopper" : "fused_hidden_hopper");
        Half[] weights = [.. HopperWeights.Pack((teacher, 1)), .. HopperWeights.Pack((student, 1))];
        _weights = DeviceArray.Upload<Half>(stream, weights);
        _bias = DeviceArray.Upload<float>(stream, [.. teacher.Bias, .. student.Bias]);
        HopperKernel.DescribeWeights(_weightsMap, _weights.Address, _outputs, weights.Length / _outputs);
    }

    public void Launch(CudaStream stream, nint input, int n, int h, int w, nint output)
    {
        if (_described != (input, n, h, w))
        {
            long pixel = 2 * _inputs;
            HopperKernel.DescribeMap(_inputMap, input, n, h, w, 2 * _inputs, _size, (pixel, w * pixel, h * w * pixel));
            _described = (input, n, h, w);
        }

        int height = h - _size + 1, width = w - _size + 1;
        // A row or column that no window of the pool holds need not be computed.
        (int high, int wide) = _pool ? (height / 2 * 2, width / 2 * 2) : (height, width);
        _kernel.Launch(
            stream, HopperKernel.Shape(n, high, wide, _outputs / HopperWeights.Rows), _inputMap, _weightsMap,
            _bias.Address, output, _inputs, _size, _teacherOutputs / HopperWeights.Rows, high, wide);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _bias.Dispose();
        _inputMap.Dispose();
        _weightsMap.Dispose();
    }
}
