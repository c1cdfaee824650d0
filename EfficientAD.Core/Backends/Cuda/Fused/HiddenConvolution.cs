using EfficientAD.Native;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>A hidden layer of teacher and student in one launch: convolution, bias, ReLU and, if asked for, the 2 x 2 average
/// pool, in half precision with sums in float32.</summary>
internal sealed class HiddenConvolution : IHiddenConvolution
{
    private const string File = "fused_convolution";

    private readonly TiledKernel _kernel;
    private readonly DeviceBuffer _weights, _bias;
    private readonly int _inputs, _teacherOutputs, _outputs, _size;
    private readonly bool _pool;

    /// <param name="teacher">[co, ci, k, k]; co a multiple of 128, ci of 32.</param>
    /// <param name="student">The same, co may differ.</param>
    public HiddenConvolution(
        CudaStream stream, KernelLibrary kernels, LayerWeights teacher, LayerWeights student, bool pool)
    {
        if (teacher.Shape.SampleCount != student.Shape.SampleCount || teacher.Shape.H != student.Shape.H)
        {
            throw new ArgumentException(
                $"HiddenConvolution: teacher {teacher.Shape} and student {student.Shape} must have the same inputs.");
        }

        (_inputs, _size, _pool) = (teacher.Shape.C, teacher.Shape.H, pool);
        (_teacherOutputs, _outputs) = (teacher.Shape.N, teacher.Shape.N + student.Shape.N);
        _kernel = new TiledKernel(stream, kernels, File, pool ? "fused_convolution_pool_" : "fused_convolution_relu_");
        _weights = DeviceArray.Upload<Half>(stream, [.. StageWeights.Pack((teacher, 1)), .. StageWeights.Pack((student, 1))]);
        _bias = DeviceArray.Upload<float>(stream, [.. teacher.Bias, .. student.Bias]);
    }

    public void Launch(CudaStream stream, nint input, int n, int h, int w, nint output) =>
        Launch(stream, input, n, h, w, output, tile: null);

    /// <param name="tile">Null for the one that suits the device.</param>
    public void Launch(CudaStream stream, nint input, int n, int h, int w, nint output, FusedTile? tile)
    {
        TiledKernel.RequireReach(n, h, w, 2 * _inputs);
        int outputHeight = h - _size + 1, outputWidth = w - _size + 1;
        int rows = _pool ? n * (outputHeight / 2) * (outputWidth / 2) * 4 : n * outputHeight * outputWidth;
        _kernel.Launch(
            stream, rows, _outputs / FusedTile.Channels, _inputs * _size * _size, tile, input, _weights.Address, _bias.Address, output,
            n, h, w, _inputs, _teacherOutputs, _outputs, _size);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _bias.Dispose();
    }
}
