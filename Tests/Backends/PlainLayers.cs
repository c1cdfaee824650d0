using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends;

/// <summary>Pooling, resizing, dropout and normalisation by definition, in double; backward passes scatter.</summary>
internal static class PlainLayers
{
    public static HostTensor AveragePool2d(HostTensor input, int padding)
    {
        Shape shape = input.Shape;
        var output = new HostTensor(PooledShape(shape, padding));
        ForEachPooled(shape, padding, (n, c, oy, ox, y, x) => output[n, c, oy, ox] += input[n, c, y, x] / 4);
        return output;
    }

    public static HostTensor AveragePool2dBackward(HostTensor outputGradient, int padding, Shape inputShape)
    {
        var gradient = new HostTensor(inputShape);
        ForEachPooled(
            inputShape, padding, (n, c, oy, ox, y, x) => gradient[n, c, y, x] += outputGradient[n, c, oy, ox] / 4);
        return gradient;
    }

    public static Shape PooledShape(Shape input, int padding) =>
        input with { H = (input.H + 2 * padding) / 2, W = (input.W + 2 * padding) / 2 };

    public static HostTensor ResizeBilinear(HostTensor input, int height, int width)
    {
        var output = new HostTensor(input.Shape with { H = height, W = width });
        ForEachTap(
            input.Shape, output.Shape,
            (n, c, oy, ox, y, x, weight) => output[n, c, oy, ox] += weight * input[n, c, y, x]);
        return output;
    }

    public static HostTensor ResizeBilinearBackward(HostTensor outputGradient, Shape inputShape)
    {
        var gradient = new HostTensor(inputShape);
        ForEachTap(inputShape, outputGradient.Shape, (n, c, oy, ox, y, x, weight) =>
            gradient[n, c, y, x] += weight * outputGradient[n, c, oy, ox]);
        return gradient;
    }

    /// <summary>Output i samples the input at (i + 0.5) * scale + offset, moved inside.</summary>
    public static HostTensor ResampleBilinear(
        HostTensor input, float scaleY, float offsetY, float scaleX, float offsetX, int height, int width)
    {
        var output = new HostTensor(input.Shape with { H = height, W = width });
        for (int plane = 0; plane < output.Shape.N * output.Shape.C; plane++)
            for (int oy = 0; oy < height; oy++)
                for (int ox = 0; ox < width; ox++)
                {
                    double y = Math.Clamp((oy + 0.5) * scaleY + offsetY, 0, input.Shape.H - 1);
                    double x = Math.Clamp((ox + 0.5) * scaleX + offsetX, 0, input.Shape.W - 1);
                    (int top, int left) = ((int)y, (int)x);
                    int bottom = Math.Min(top + 1, input.Shape.H - 1), right = Math.Min(left + 1, input.Shape.W - 1);
                    (double down, double across) = (y - top, x - left);
                    (int n, int c) = (plane / output.Shape.C, plane % output.Shape.C);
                    output[n, c, oy, ox] =
                        (1 - down) * ((1 - across) * input[n, c, top, left] + across * input[n, c, top, right]) +
                        down * ((1 - across) * input[n, c, bottom, left] + across * input[n, c, bottom, right]);
                }

        return output;
    }

    /// <summary>Forward and backward alike: a gradient passes where a value passed.</summary>
    public static HostTensor Dropout(HostTensor input, float rate, CounterRandom random)
    {
        var output = new HostTensor(input.Shape);
        for (int i = 0; i < output.Values.Length; i++)
            output.Values[i] = random.Uniform((ulong)i) < rate ? 0 : input.Values[i] / (1 - (double)rate);
        return output;
    }

    public static HostTensor NormalizeChannels(HostTensor input, HostTensor mean, HostTensor deviation)
    {
        var output = new HostTensor(input.Shape);
        for (int i = 0; i < output.Values.Length; i++)
        {
            int channel = i / input.Shape.Plane % input.Shape.C;
            output.Values[i] = (input.Values[i] - mean.Values[channel]) / deviation.Values[channel];
        }

        return output;
    }

    private static void ForEachPooled(Shape input, int padding, Action<int, int, int, int, int, int> visit)
    {
        Shape output = PooledShape(input, padding);
        for (int plane = 0; plane < output.N * output.C; plane++)
            for (int oy = 0; oy < output.H; oy++)
                for (int ox = 0; ox < output.W; ox++)
                    for (int tap = 0; tap < 4; tap++)
                    {
                        int y = 2 * oy + tap / 2 - padding, x = 2 * ox + tap % 2 - padding;
                        if (y >= 0 && y < input.H && x >= 0 && x < input.W)
                            visit(plane / output.C, plane % output.C, oy, ox, y, x);
                    }
    }

    /// <summary>Visits, per output, every input whose weight is not zero.</summary>
    private static void ForEachTap(Shape input, Shape output, Action<int, int, int, int, int, int, double> visit)
    {
        for (int plane = 0; plane < output.N * output.C; plane++)
            for (int oy = 0; oy < output.H; oy++)
                foreach ((int y, double rowWeight) in Taps(oy, input.H, output.H))
                    for (int ox = 0; ox < output.W; ox++)
                        foreach ((int x, double columnWeight) in Taps(ox, input.W, output.W))
                            visit(plane / output.C, plane % output.C, oy, ox, y, x, rowWeight * columnWeight);
    }

    private static IEnumerable<(int Index, double Weight)> Taps(int position, int inputSize, int outputSize)
    {
        // Exact in integers: the source is ((2 position + 1) inputSize - outputSize) / (2 outputSize), at least 0.
        int numerator = Math.Max(0, (2 * position + 1) * inputSize - outputSize), denominator = 2 * outputSize;
        int low = numerator / denominator;
        double fraction = (double)(numerator % denominator) / denominator;
        if (low >= inputSize - 1) (low, fraction) = (inputSize - 1, 0);
        yield return (low, 1 - fraction);
        if (fraction > 0) yield return (low + 1, fraction);
    }
}
