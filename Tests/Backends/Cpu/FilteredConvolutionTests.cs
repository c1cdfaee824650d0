using System.Runtime.Intrinsics;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Tests.Backends.Cpu;

/// <summary>Every minimal filtering form against sums in double: relative L2 errors. Inputs are
/// rectified, as the networks' are.</summary>
public sealed class FilteredConvolutionTests : IDisposable
{
    private readonly CpuBackend _backend = CpuBackendTests.On(2);
    private readonly WorkerPool _pool = new(2);

    [Fact]
    public void Form4x4() =>
        CheckNarrowAndWide<Form4x4<Vector128<float>, Lanes128>, Form4x4<Vector512<float>, Lanes512>>(6e-6, 2e-5);

    [Fact]
    public void Form6x4() =>
        CheckNarrowAndWide<Form6x4<Vector128<float>, Lanes128>, Form6x4<Vector512<float>, Lanes512>>(2.5e-5, 6e-5);

    [Fact]
    public void Form7x4() =>
        CheckNarrowAndWide<Form7x4<Vector128<float>, Lanes128>, Form7x4<Vector512<float>, Lanes512>>(4e-5, 1e-4);

    [Fact]
    public void Form4x3() =>
        CheckNarrowAndWide<Form4x3<Vector128<float>, Lanes128>, Form4x3<Vector512<float>, Lanes512>>(2e-6, 4e-6);

    [Fact]
    public void Form6x3() =>
        CheckNarrowAndWide<Form6x3<Vector128<float>, Lanes128>, Form6x3<Vector512<float>, Lanes512>>(8e-6, 2e-5);

    /// <summary>The layers of the shipped teacher, each on what the exact ones before it leave of a picture: channels
    /// that look alike everywhere, and weights that cancel each other.</summary>
    [Fact]
    public void TrainedLayers()
    {
        const int Side = 48;
        using PatchDescriptionNetwork teacher = TeacherFile.Load(null, PdnSize.Small, padded: false, _backend).Teacher;
        using Tensor image = _backend.Allocate(new Shape(1, 3, Side, Side));
        _backend.Preprocess(NaturalTexture.Render(1, 0, Side).View, ColourAdjustment.None, Side, Side, image);
        HostTensor x = Rounded(PlainLayers.AveragePool2d(Exact(teacher.Layers[0], Host(image)), 0));

        ConvolutionLayer second = teacher.Layers[1], third = teacher.Layers[2], fourth = teacher.Layers[3];
        HostTensor y = Exact(second, x);
        CheckLayer<Form4x4<Vector128<float>, Lanes128>, Form4x4<Vector512<float>, Lanes512>>(second, x, y, 6e-6);
        CheckLayer<Form6x4<Vector128<float>, Lanes128>, Form6x4<Vector512<float>, Lanes512>>(second, x, y, 2.5e-5);

        x = Rounded(PlainLayers.AveragePool2d(y, 0));
        y = Exact(third, x);
        CheckLayer<Form4x3<Vector128<float>, Lanes128>, Form4x3<Vector512<float>, Lanes512>>(third, x, y, 2e-6);
        CheckLayer<Form6x3<Vector128<float>, Lanes128>, Form6x3<Vector512<float>, Lanes512>>(third, x, y, 8e-6);

        x = Rounded(y);
        y = Exact(fourth, x);
        CheckLayer<Form4x4<Vector128<float>, Lanes128>, Form4x4<Vector512<float>, Lanes512>>(fourth, x, y, 6e-6);
        CheckLayer<Form7x4<Vector128<float>, Lanes128>, Form7x4<Vector512<float>, Lanes512>>(fourth, x, y, 4e-5);
    }

    public void Dispose()
    {
        _backend.Dispose();
        _pool.Dispose();
    }

    private void CheckNarrowAndWide<TNarrow, TWide>(double bound, double gradientBound)
        where TNarrow : struct, IFilterForm
        where TWide : struct, IFilterForm
    {
        Check<TNarrow, NarrowProducts<Vector128<float>, Lanes128>>(bound, gradientBound);
        if (Vector512.IsHardwareAccelerated)
            Check<TWide, WideProducts<Vector512<float>, Lanes512>>(bound, gradientBound);
    }

    private void Check<TForm, TKernels>(double bound, double gradientBound)
        where TForm : struct, IFilterForm
        where TKernels : struct, IProductKernels
    {
        // Sizes that divide nothing: tiles hang over the edges, blocks and panels of channels over the last channel.
        int kernel = TForm.Kernel;
        var c = new ConvolutionCase(2, 37, 21, 18, 42, kernel, kernel, Padding: 1);
        HostTensor x = c.Input.Map(value => Math.Max(value, 0)), w = c.Weights, bias = c.Bias, dy = c.OutputGradient;
        using var filtered = new FilteredConvolution<TForm, TKernels>(_pool);
        using Tensor input = On(x), weights = On(w), biases = On(bias), gradient = On(dy);
        using Tensor output = _backend.Allocate(c.OutputShape), inputGradient = _backend.Allocate(c.InputShape);
        using Tensor weightGradient = _backend.Allocate(c.WeightShape);

        filtered.Forward(input, weights, biases, c.Padding, relu: false, output);
        AssertError(PlainConvolution2d.Forward(x, w, bias, c.Geometry, relu: false), output, bound, "output");
        filtered.InputGradient(gradient, weights, c.Padding, inputGradient);
        AssertError(
            PlainConvolution2d.InputGradient(dy, w, c.Geometry, c.InputShape), inputGradient, bound, "input gradient");
        filtered.WeightGradient(input, gradient, c.Padding, weightGradient);
        AssertError(
            PlainConvolution2d.WeightGradient(x, dy, c.Geometry, c.WeightShape), weightGradient, gradientBound,
            "weight gradient");
    }

    private HostTensor Exact(ConvolutionLayer layer, HostTensor input) => PlainConvolution2d.Forward(
        input, Host(layer.Weights.Value), Host(layer.Bias.Value), Convolution2dGeometry.Valid, layer.Relu);

    private void CheckLayer<TNarrow, TWide>(ConvolutionLayer layer, HostTensor input, HostTensor exact, double bound)
        where TNarrow : struct, IFilterForm
        where TWide : struct, IFilterForm
    {
        CheckLayer<TNarrow, NarrowProducts<Vector128<float>, Lanes128>>(layer, input, exact, bound, "narrow");
        if (Vector512.IsHardwareAccelerated)
            CheckLayer<TWide, WideProducts<Vector512<float>, Lanes512>>(layer, input, exact, bound, "wide");
    }

    private void CheckLayer<TForm, TKernels>(
        ConvolutionLayer layer, HostTensor input, HostTensor exact, double bound, string kernels)
        where TForm : struct, IFilterForm
        where TKernels : struct, IProductKernels
    {
        using var filtered = new FilteredConvolution<TForm, TKernels>(_pool);
        using Tensor x = On(input), y = _backend.Allocate(exact.Shape);
        filtered.Forward(x, layer.Weights.Value, layer.Bias.Value, padding: 0, layer.Relu, y);
        AssertError(exact, y, bound, $"{layer.Name} by F({TForm.Outputs}, {TForm.Kernel}), {kernels}");
    }

    private static HostTensor Rounded(HostTensor host) => HostTensor.FromFloats(host.Shape, host.ToFloats());

    private HostTensor Host(Tensor tensor)
    {
        var values = new float[tensor.Shape.Count];
        _backend.Download(tensor, values);
        return HostTensor.FromFloats(tensor.Shape, values);
    }

    private Tensor On(HostTensor host)
    {
        Tensor tensor = _backend.Allocate(host.Shape);
        _backend.Upload(host.ToFloats(), tensor);
        return tensor;
    }

    private void AssertError(HostTensor expected, Tensor actual, double bound, string what)
    {
        var values = new float[actual.Shape.Count];
        _backend.Download(actual, values);
        double squares = 0, total = 0;
        for (int i = 0; i < values.Length; i++)
        {
            squares += (values[i] - expected.Values[i]) * (values[i] - expected.Values[i]);
            total += expected.Values[i] * expected.Values[i];
        }

        double error = Math.Sqrt(squares / total);
        Assert.True(error < bound, $"{what}: relative error {error:G3}; stated is {bound:G3}.");
    }
}
