using EfficientAD.Backends.Cpu;
using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

/// <summary>Asks a device a few small problems whose answers the CPU knows, before anybody relies on it: a driver that
/// compiles a kernel wrongly, or a card that is broken, shows here.</summary>
internal static class CudaSelfCheck
{
    private const ulong Seed = 1;

    // Of the largest value: float32 differs by the order of its sums, the other precisions by the factors' rounding.
    private const float FullTolerance = 1e-4f, RoundedTolerance = 1e-2f;

    private static readonly (string Name, Func<IBackend, float[]> Ask)[] Questions =
    [
        ("preprocess", Preprocess),
        ("convolution2d", backend => Convolution(backend, new Shape(1, 64, 20, 21), new Shape(128, 64, 3, 3), 1)),
        ("convolution2d of stride 2",
            backend => Convolution(backend, new Shape(2, 3, 19, 23), new Shape(7, 3, 4, 4), 2)),
        ("the input gradient of convolution2d", ConvolutionInputGradient),
        ("the weight gradient of convolution2d", ConvolutionWeightGradient),
        ("average_pool2d", backend => Map(backend, new Shape(2, 3, 5, 8), (x, y) => backend.AveragePool2d(x, 0, y))),
        ("resize_bilinear", backend => Map(backend, new Shape(2, 3, 11, 31), backend.ResizeBilinear)),
        ("maximum", backend => Map(backend, new Shape(2, 1, 1, 1), backend.Maximum)),
        ("dropout", backend => Map(
            backend, new Shape(2, 3, 10, 17), (x, y) => backend.Dropout(x, 0.2f, new CounterRandom(Seed, Seed), y))),
        ("adam", Adam),
        ("quantile", backend => Map(backend, new Shape(2, 1, 1, 1), (x, y) => backend.Quantile(x, 0.9f, y))),
    ];

    /// <summary>Waits for the device.</summary>
    /// <returns>Which answer is wrong and by how much, in a sentence; null where all are right.</returns>
    public static string? FindFault(IBackend device, CudaPrecision precision)
    {
        using var cpu = new CpuBackend(new CpuOptions { Threads = 1 });
        float tolerance = precision == CudaPrecision.Full ? FullTolerance : RoundedTolerance;
        foreach ((string name, Func<IBackend, float[]> ask) in Questions)
        {
            float[] expected = ask(cpu), answer = ask(device);
            float scale = expected.Max(MathF.Abs), worst = 0;
            for (int i = 0; i < expected.Length; i++)
                worst = MathF.Max(worst, MathF.Abs(answer[i] - expected[i]));
            if (worst <= tolerance * scale) continue;  // false for NaN, which MathF.Max keeps
            return $"{device.Name} computes {name} wrongly: off by {worst:g3} where values reach {scale:g3} and " +
                $"{tolerance * scale:g3} is allowed. Update the driver, check the card, or use --device cpu.";
        }
        return null;
    }

    private static float[] Preprocess(IBackend backend)
    {
        var random = new CounterRandom(Seed, 0);
        var image = new RgbImage(37, 29);
        for (int i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = (byte)random.Below((ulong)i, 256);
        using Tensor output = backend.Allocate(new Shape(1, 3, 16, 24));
        backend.Preprocess(image.View, ColourAdjustment.Grey, 18, 24, output);
        return backend.Download(output);
    }

    private static float[] Convolution(IBackend backend, Shape inputShape, Shape weightShape, int stride)
    {
        var geometry = new Convolution2dGeometry(stride, 1);
        using Tensor input = Random(backend, inputShape, 1), weights = Random(backend, weightShape, 2);
        using Tensor bias = Random(backend, Shape.Vector(weightShape.N), 3);
        using Tensor output = backend.Allocate(OutputOf(inputShape, weightShape, geometry));
        backend.Convolution2d(input, weights, bias, geometry, relu: true, output);
        return backend.Download(output);
    }

    private static float[] ConvolutionInputGradient(IBackend backend)
    {
        Shape inputShape = new(1, 5, 13, 11), weightShape = new(6, 5, 4, 4);
        var geometry = new Convolution2dGeometry(2, 1);
        using Tensor outputGradient = Random(backend, OutputOf(inputShape, weightShape, geometry), 1);
        using Tensor weights = Random(backend, weightShape, 2), inputGradient = Random(backend, inputShape, 3);
        backend.Convolution2dInputGradient(outputGradient, weights, geometry, inputGradient);
        return backend.Download(inputGradient);
    }

    private static float[] ConvolutionWeightGradient(IBackend backend)
    {
        Shape inputShape = new(2, 5, 13, 11), weightShape = new(6, 5, 4, 4);
        var geometry = new Convolution2dGeometry(1, 1);
        using Tensor input = Random(backend, inputShape, 1), weightGradient = Random(backend, weightShape, 2);
        using Tensor outputGradient = Random(backend, OutputOf(inputShape, weightShape, geometry), 3);
        using Tensor biasGradient = Random(backend, Shape.Vector(weightShape.N), 4);
        backend.Convolution2dWeightGradient(input, outputGradient, geometry, weightGradient, biasGradient);
        return [.. backend.Download(weightGradient), .. backend.Download(biasGradient)];
    }

    private static float[] Adam(IBackend backend)
    {
        Shape shape = Shape.Vector(1500);
        Tensor[] tensors = [.. Enumerable.Range(0, 8).Select(i => Random(backend, shape, (ulong)i))];
        foreach (int second in (int[])[2, 6]) backend.Fill(0.5f, tensors[second]);
        AdamTensors[] parameters =
            [new(tensors[0], tensors[1], tensors[2], tensors[3]), new(tensors[4], tensors[5], tensors[6], tensors[7])];
        backend.Adam(parameters, new AdamSettings(0.1f), step: 3);
        float[] updated = [.. tensors.SelectMany(tensor => backend.Download(tensor))];
        foreach (Tensor tensor in tensors) tensor.Dispose();
        return updated;
    }

    /// <summary>What an operation makes of [2, 3, 10, 17].</summary>
    private static float[] Map(IBackend backend, Shape outputShape, Action<Tensor, Tensor> operation)
    {
        using Tensor input = Random(backend, new Shape(2, 3, 10, 17), 1), output = backend.Allocate(outputShape);
        operation(input, output);
        return backend.Download(output);
    }

    private static Shape OutputOf(Shape input, Shape weights, Convolution2dGeometry geometry) => new(
        input.N, weights.N, geometry.OutputSize(input.H, weights.H), geometry.OutputSize(input.W, weights.W));

    /// <summary>Uniform in [-1, 1); a stream for each tensor of a question.</summary>
    private static Tensor Random(IBackend backend, Shape shape, ulong stream)
    {
        var random = new CounterRandom(Seed, stream);
        float[] values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++) values[i] = random.Uniform((ulong)i, -1, 1);
        Tensor tensor = backend.Allocate(shape);
        backend.Upload(values, tensor);
        return tensor;
    }
}
