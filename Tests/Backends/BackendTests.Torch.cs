using System.Globalization;
using EfficientAD.Backends;
using EfficientAD.Tensors;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Backends;

/// <remarks>PyTorch's values, in double (torch_operations.py); case i draws its inputs with seed i.</remarks>
public abstract partial class BackendTests
{
    private static readonly ReferenceFile Torch = ReferenceFile.Open("torch/operations.safetensors");

    [Fact]
    public void Convolution2d_MatchesPyTorch() => ForEachCase("convolution", (name, c) =>
    {
        ulong seed = SeedOf(name);
        var shapes = new ConvolutionCase(
            (int)c[0], (int)c[1], (int)c[2], (int)c[3], (int)c[4], (int)c[5], (int)c[5], (int)c[6], (int)c[7],
            c[8] != 0);
        HostTensor input = HostTensor.Random(shapes.InputShape, seed, 0);
        HostTensor bias = HostTensor.Random(Shape.Vector(shapes.Co), seed, 2);
        HostTensor weights = HostTensor.Random(shapes.WeightShape, seed, 1, shapes.WeightScale);
        float[] output = Run(shapes.OutputShape, [input, weights, bias], (on, s, d) =>
            on.Convolution2d(s[0], s[1], s[2], shapes.Geometry, shapes.Relu, d));
        double tolerance = ConvolutionRounding(shapes.FanIn, shapes.WeightScale);
        TensorAssert.Close(Torch.Floats($"{name}.output"), output, tolerance, because: RoundingReason);

        HostTensor gradient = HostTensor.Random(shapes.OutputShape, seed, 3);
        HostTensor rectified = HostTensor.FromFloats(shapes.OutputShape, output);
        if (shapes.Relu)
        {
            float[] passed = Run([rectified], [gradient], (on, s, d) => on.ReluBackward(s[0], d[0]))[0];
            gradient = HostTensor.FromFloats(shapes.OutputShape, passed);
        }

        float[][] gradients = Run(
            [gradient, weights, input], [new(shapes.InputShape), new(shapes.WeightShape), new(bias.Shape)],
            (on, s, d) =>
            {
                on.Convolution2dInputGradient(s[0], s[1], shapes.Geometry, d[0]);
                on.Convolution2dWeightGradient(s[2], s[0], shapes.Geometry, d[1], d[2]);
            });
        tolerance = ConvolutionRounding(shapes.Co * shapes.Kh * shapes.Kw, shapes.WeightScale);
        TensorAssert.Close(Torch.Floats($"{name}.input_gradient"), gradients[0], tolerance, 1e-7, RoundingReason);
        tolerance = ConvolutionRounding(shapes.N * shapes.OutputShape.Plane, 1);
        TensorAssert.Close(Torch.Floats($"{name}.weight_gradient"), gradients[1], tolerance, 1e-7, RoundingReason);
        TensorAssert.Close(Torch.Floats($"{name}.bias_gradient"), gradients[2], tolerance, 1e-7, RoundingReason);
    });

    [Fact]
    public void AveragePool2d_MatchesPyTorch() => ForEachCase("average_pool", (name, c) =>
    {
        HostTensor input = HostTensor.Random(ShapeOf(c), SeedOf(name), 0);
        int padding = (int)c[4];
        Shape pooled = PlainLayers.PooledShape(input.Shape, padding);
        float[] output = Run(pooled, [input], (on, s, d) => on.AveragePool2d(s[0], padding, d));
        TensorAssert.Close(Torch.Floats($"{name}.output"), output, Few, because: FewRoundings);
        float[] gradient = Run([HostTensor.Random(pooled, SeedOf(name), 1)], [new(input.Shape)], (on, s, d) =>
            on.AveragePool2dBackward(s[0], padding, d[0]))[0];
        TensorAssert.Close(Torch.Floats($"{name}.input_gradient"), gradient, Few, because: FewRoundings);
    });

    [Fact]
    public void ResizeBilinear_MatchesPyTorch() => ForEachCase("resize", (name, c) =>
    {
        HostTensor input = HostTensor.Random(ShapeOf(c), SeedOf(name), 0);
        Shape resized = input.Shape with { H = (int)c[4], W = (int)c[5] };
        float[] output = Run(resized, [input], (on, s, d) => on.ResizeBilinear(s[0], d));
        TensorAssert.Close(Torch.Floats($"{name}.output"), output, ResizeTolerance, because: ResizeReason);
        float[] gradient = Run([HostTensor.Random(resized, SeedOf(name), 1)], [new(input.Shape)], (on, s, d) =>
            on.ResizeBilinearBackward(s[0], d[0]))[0];
        TensorAssert.Close(Torch.Floats($"{name}.input_gradient"), gradient, ResizeTolerance, because: ResizeReason);
    });

    [Fact]
    public void Quantile_MatchesPyTorch() => ForEachCase("quantile", (name, c) =>
    {
        int n = (int)c[0], count = (int)c[1], levels = (int)c[2];
        var values = new HostTensor(new Shape(n, 1, 1, count));
        var random = new CounterRandom(SeedOf(name), 0);
        for (int i = 0; i < values.Values.Length; i++) values.Values[i] = random.Uniform((ulong)i);
        values = Levelled(values, levels);
        if (c[3] != 0) values.Values[(n - 1) * count + count / 2] = double.NaN;
        float q = Torch.Floats($"{name}.q")[0];
        float[] output = Run(new Shape(n, 1, 1, 1), [values], (on, s, d) => on.Quantile(s[0], q, d));
        TensorAssert.Close(
            Torch.Floats($"{name}.output"), output, 1e-6,
            because: "q in float shifts the position by up to 0.01 of a gap below 1e-4");
    });

    [Fact]
    public void HardFeatureLoss_MatchesPyTorch() => ForEachCase("hard_loss", (name, c) =>
    {
        Shape shape = ShapeOf(c), number = new(1, 1, 1, 1);
        int levels = (int)c[4];
        HostTensor teacher = Levelled(HostTensor.Random(shape, SeedOf(name), 0), levels);
        HostTensor student = Levelled(HostTensor.Random(shape, SeedOf(name), 1), levels);
        float q = Torch.Floats($"{name}.q")[0];
        float[][] results = Run(
            [teacher, student, HostTensor.Filled(number, 1)],
            [HostTensor.Unwritten(new Shape(shape.N, 1, 1, 1)), HostTensor.Unwritten(number), new(shape)],
            (on, s, d) =>
            {
                on.HardFeatureLoss(s[0], s[1], q, d[0], d[1]);
                on.HardFeatureLossBackward(s[0], s[1], d[0], s[2], d[2]);
            });
        TensorAssert.Close(
            Torch.Floats($"{name}.threshold"), results[0], 2e-6, 2e-6, "as for the quantile, of squares below 4");
        TensorAssert.Close(Torch.Floats($"{name}.loss"), results[1], 0, 1e-6, "a mean of positive numbers");
        TensorAssert.Close(Torch.Floats($"{name}.gradient"), results[2], Few, 1e-6, FewRoundings);
    });

    [Fact]
    public void MeanSquaredError_MatchesPyTorch() => ForEachCase("squared_error", (name, c) =>
    {
        HostTensor a = HostTensor.Random(ShapeOf(c), SeedOf(name), 0), b = HostTensor.Random(a.Shape, SeedOf(name), 1);
        bool pair = c[4] != 0;
        float[][] results = Run(
            [a, b, HostTensor.Filled(Number, 1)], [HostTensor.Unwritten(Number), new(a.Shape), new(a.Shape)],
            (on, s, d) =>
            {
                on.MeanSquaredError(s[0], pair ? s[1] : null, d[0]);
                on.MeanSquaredErrorBackward(s[0], pair ? s[1] : null, s[2], d[1], pair ? d[2] : null);
            });
        TensorAssert.Close(Torch.Floats($"{name}.loss"), results[0], 0, 1e-6, "a mean of positive numbers");
        TensorAssert.Close(Torch.Floats($"{name}.a_gradient"), results[1], Few, because: FewRoundings);
        if (pair) TensorAssert.Close(Torch.Floats($"{name}.b_gradient"), results[2], Few, because: FewRoundings);
    });

    [Fact]
    public void Adam_MatchesFiveStepsOfPyTorch() => ForEachCase("adam", (name, c) =>
    {
        Shape shape = Shape.Vector((int)c[0]);
        ReadOnlySpan<double> numbers = Torch.Doubles($"{name}.settings");
        var settings = new AdamSettings((float)numbers[0], (float)numbers[1]);
        HostTensor first = new(shape), second = new(shape), parameter = HostTensor.Random(shape, SeedOf(name), 0);
        for (int step = 1; step <= 5; step++)
        {
            HostTensor gradient = c[1] != 0 ? new(shape) : HostTensor.Random(shape, SeedOf(name), (ulong)step, 0.01);
            float[][] updated = Run([gradient], [first, second, parameter], (on, s, d) =>
                on.Adam(s[0], settings, step, d[0], d[1], d[2]));
            TensorAssert.Close(Torch.Floats($"{name}.first_moment.{step}"), updated[0], 1e-9, 1e-6, FewRoundings);
            TensorAssert.Close(Torch.Floats($"{name}.second_moment.{step}"), updated[1], 0, 1e-6, FewRoundings);
            TensorAssert.Close(
                Torch.Floats($"{name}.parameter.{step}"), updated[2],
                step * (settings.LearningRate * 1e-6 + Math.ScaleB(1, -24)),
                because: "steps of the learning rate and a rounding each");
            first = HostTensor.FromFloats(shape, updated[0]);
            second = HostTensor.FromFloats(shape, updated[1]);
            parameter = HostTensor.FromFloats(shape, updated[2]);
        }
    });

    private static void ForEachCase(string operation, Action<string, long[]> check)
    {
        long count = Torch.Integers($"{operation}.count")[0];
        Assert.True(count > 0);
        for (int i = 0; i < count; i++) check($"{operation}.{i}", Torch.Integers($"{operation}.{i}.case").ToArray());
    }

    private static ulong SeedOf(string name) =>
        ulong.Parse(name.AsSpan(name.LastIndexOf('.') + 1), CultureInfo.InvariantCulture);

    private static Shape ShapeOf(long[] c) => new((int)c[0], (int)c[1], (int)c[2], (int)c[3]);
}
