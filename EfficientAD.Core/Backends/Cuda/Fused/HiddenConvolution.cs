using EfficientAD.Native;
using EfficientAD.Networks.Folding;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>A hidden layer of teacher and student in one launch: convolution, bias, ReLU and, if asked for, the 2 x 2
/// average pool, in half precision with sums in float32, or in numbers of 8 bits.</summary>
internal sealed class HiddenConvolution : IHiddenConvolution
{
    private const string File = "fused_convolution";

    private readonly TiledKernel _kernel;
    private readonly DeviceBuffer _weights, _scale;
    private readonly int _inputs, _teacherOutputs, _outputs, _size;
    private readonly bool _pool;

    /// <param name="teacher">[co, ci, k, k]; co a multiple of 128, ci of 32.</param>
    /// <param name="student">The same, co may differ.</param>
    public HiddenConvolution(
        CudaStream stream, KernelLibrary kernels, LayerWeights teacher, LayerWeights student, bool pool)
        : this(
            stream, kernels, teacher.Shape, student.Shape, format: null, pool,
            DeviceArray.Upload<Half>(stream, [.. StageWeights.Pack((teacher, 1)), .. StageWeights.Pack((student, 1))]),
            [.. teacher.Bias, .. student.Bias])
    {
    }

    /// <summary>From a map in numbers of 8 bits to another.</summary>
    /// <param name="teacher">[co, ci, k, k]; co a multiple of 128, ci of 64.</param>
    /// <param name="teacherSteps">What 1 of each of the teacher's outputs is worth.</param>
    /// <param name="student">As the teacher's, co may differ.</param>
    /// <param name="studentSteps">What 1 of each of the student's outputs is worth.</param>
    public HiddenConvolution(
        CudaStream stream, KernelLibrary kernels, QuantizedLayer teacher, float[] teacherSteps, QuantizedLayer student,
        float[] studentSteps, bool pool)
        : this(
            stream, kernels, teacher.Shape, student.Shape, teacher.Format, pool,
            DeviceArray.Upload<byte>(stream, [.. StageWeights.Pack(teacher), .. StageWeights.Pack(student)]),
            [.. teacher.Scales(teacherSteps), .. student.Scales(studentSteps)])
    {
    }

    private HiddenConvolution(
        CudaStream stream, KernelLibrary kernels, Shape teacher, Shape student, EightBits? format, bool pool,
        DeviceBuffer weights, ReadOnlySpan<float> scale)
    {
        if (teacher.SampleCount != student.SampleCount || teacher.H != student.H)
        {
            throw new ArgumentException(
                $"HiddenConvolution: teacher {teacher} and student {student} must have the same inputs.");
        }

        (_inputs, _size, _pool, _teacherOutputs, _outputs) =
            (teacher.C, teacher.H, pool, teacher.N, teacher.N + student.N);
        string name = TiledKernel.NameOf(File, format);
        _kernel = new TiledKernel(stream, kernels, name, $"{name}_{(pool ? "pool" : "relu")}_");
        (_weights, _scale) = (weights, DeviceArray.Upload(stream, scale));
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
            stream, rows, _outputs / FusedTile.Channels, _inputs * _size * _size, tile, input, _weights.Address,
            _scale.Address, output, n, h, w, _inputs, _teacherOutputs, _outputs, _size);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _scale.Dispose();
    }
}
