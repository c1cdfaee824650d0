using EfficientAD.Native;
using EfficientAD.Native.Blas;
using EfficientAD.Native.Dnn;
using EfficientAD.Native.Libraries;
using EfficientAD.Tensors;
using EfficientAD.Tests.Backends;
using EfficientAD.Tests.Gpu;

namespace EfficientAD.Tests.Native;

/// <summary>cuBLASLt and cuDNN against plain loops, where there is a GPU and they are installed.</summary>
[Trait(RealGpu.Trait, RealGpu.Needed)]
public class LibrariesOnGpuTests
{
    private const long Workspace = 64 << 20;

    public static TheoryData<bool, bool, bool, bool> Products => new()
    {
        { false, false, false, false }, { true, false, true, false },
        { false, true, true, true }, { true, true, false, true },
    };

    [Theory, MemberData(nameof(Products))]
    public void Gemm_MultipliesRowMajorMatrices(bool transposeA, bool transposeB, bool bias, bool relu)
    {
        CudaContext context = RealGpu.OpenOrSkip();
        using BlasHandle? blas = BlasHandle.TryOpen(context);
        Assert.SkipWhen(blas is null, $"No cuBLASLt here; {LibrarySearch.FoldersVariable} can name its folder.");
        const int rows = 20, columns = 28, depth = 36;
        HostTensor a = HostTensor.Random(new Shape(1, 1, rows, depth), 1, 0);
        HostTensor b = HostTensor.Random(new Shape(1, 1, depth, columns), 1, 1);
        HostTensor added = HostTensor.Random(new Shape(1, 1, 1, columns), 1, 2);
        double[] expected = new double[rows * columns];
        for (int i = 0; i < expected.Length; i++)
        {
            (int row, int column) = (i / columns, i % columns);
            for (int k = 0; k < depth; k++) expected[i] += a[0, 0, row, k] * b[0, 0, k, column];
            if (bias) expected[i] += added.Values[column];
            if (relu) expected[i] = Math.Max(expected[i], 0);
        }

        using var device = new Operands(context);
        nint first = device.Upload(transposeA ? Transposed(a) : a);
        nint second = device.Upload(transposeB ? Transposed(b) : b);
        nint addedBias = bias ? device.Upload(added) : 0, result = device.Reserve(expected.Length * sizeof(float));
        var shape = new GemmShape(rows, columns, depth, transposeA, transposeB);
        using var gemm = new Gemm(blas, shape, LibraryPrecision.Float32, bias, relu, Workspace);
        gemm.Run(device.Stream, first, second, result, addedBias, device.Reserve(gemm.WorkspaceBytes));
        TensorAssert.Close(
            expected, device.Download(result, expected.Length), 1e-5, because: "float32 sums of 36 products");
    }

    [Theory]
    [InlineData(LibraryPrecision.Float32, 1e-5)]
    [InlineData(LibraryPrecision.TensorFloat32, 4e-3)]
    public void DnnConvolution_ComputesAllDirections(LibraryPrecision precision, double tolerance)
    {
        CudaContext context = RealGpu.OpenOrSkip();
        using DnnHandle? dnn = DnnHandle.TryOpen(context);
        Assert.SkipWhen(dnn is null, $"No cuDNN 9 here; {LibrarySearch.FoldersVariable} can name its folder.");
        using var device = new Operands(context);
        int compared = ConvolutionCase.All.Sum(tested => Compare(tested, dnn, precision, tolerance, device));
        Assert.True(compared > 0, "cuDNN had no way for any case.");
    }

    /// <returns>Directions that cuDNN had a way for.</returns>
    private static int Compare(
        ConvolutionCase tested, DnnHandle dnn, LibraryPrecision precision, double tolerance, Operands device)
    {
        var shape = new DnnConvolutionShape(
            tested.N, tested.Ci, tested.H, tested.W, tested.Co, tested.Kh, tested.Kw, tested.Stride, tested.Padding);
        using var convolution = new DnnConvolution(dnn, shape, precision, Workspace);
        HostTensor input = tested.Input, weights = tested.Weights, bias = tested.Bias, gradient = tested.OutputGradient;
        nint x = device.Upload(input), w = device.Upload(weights);
        nint b = device.Upload(bias), dy = device.Upload(gradient);
        int compared = 0;
        if (convolution.PrepareForward() is { } forwardBytes)
        {
            nint y = device.Reserve(tested.OutputShape.Count * sizeof(float)), workspace = device.Reserve(forwardBytes);
            convolution.Forward(device.Stream, x, w, workspace, y);
            Check(PlainConvolution2d.Forward(input, weights, null, tested.Geometry, relu: false), y, "forward");
            convolution.ForwardWithBiasAndRelu(device.Stream, x, w, b, workspace, y);
            Check(PlainConvolution2d.Forward(input, weights, bias, tested.Geometry, relu: true), y, "all of forward");
            compared++;
        }
        if (convolution.PrepareInputGradient() is { } dataBytes)
        {
            nint dx = device.Zeros(tested.InputShape);
            convolution.InputGradient(device.Stream, w, dy, device.Reserve(dataBytes), dx);
            Check(
                PlainConvolution2d.InputGradient(gradient, weights, tested.Geometry, tested.InputShape), dx,
                "input gradient");
            compared++;
        }
        if (convolution.PrepareWeightGradient() is { } filterBytes)
        {
            nint dw = device.Zeros(tested.WeightShape);
            convolution.WeightGradient(device.Stream, x, dy, device.Reserve(filterBytes), dw);
            Check(
                PlainConvolution2d.WeightGradient(input, gradient, tested.Geometry, tested.WeightShape), dw,
                "weight gradient");
            compared++;
        }
        return compared;

        void Check(HostTensor expected, nint actual, string direction)
        {
            double largest = Math.Max(expected.Values.Max(Math.Abs), 1e-3);
            TensorAssert.Close(
                expected.Values, device.Download(actual, expected.Values.Length), tolerance * largest,
                because: $"{direction} of {tested}, by rounding of {precision}");
        }
    }

    private static HostTensor Transposed(HostTensor matrix)
    {
        var transposed = new HostTensor(new Shape(1, 1, matrix.Shape.W, matrix.Shape.H));
        for (int y = 0; y < matrix.Shape.H; y++)
            for (int x = 0; x < matrix.Shape.W; x++) transposed[0, 0, x, y] = matrix[0, 0, y, x];
        return transposed;
    }

    /// <summary>Device memory that lives as long as the test.</summary>
    private sealed class Operands(CudaContext context) : IDisposable
    {
        private readonly List<DeviceBuffer> _buffers = [];

        public CudaStream Stream { get; } = new(context);

        public nint Reserve(long bytes)
        {
            if (bytes == 0) return 0;
            _buffers.Add(new DeviceBuffer(Stream, bytes));
            return _buffers[^1].Address;
        }

        public nint Zeros(Shape shape)
        {
            nint address = Reserve(shape.Count * sizeof(float));
            Stream.Fill(0, address, shape.Count);
            return address;
        }

        public nint Upload(HostTensor tensor)
        {
            nint address = Reserve(tensor.Shape.Count * sizeof(float));
            Stream.Upload<float>(Array.ConvertAll(tensor.Values, value => (float)value), address);
            return address;
        }

        public float[] Download(nint address, int count)
        {
            float[] values = new float[count];
            Stream.Download(address, values);
            return values;
        }

        public void Dispose()
        {
            foreach (DeviceBuffer buffer in _buffers) buffer.Dispose();
            Stream.Dispose();
        }
    }
}
