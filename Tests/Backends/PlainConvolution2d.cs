using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends;

/// <summary>Convolution and its gradients by definition: one loop over every product, sums in double.</summary>
internal static class PlainConvolution2d
{
    public static HostTensor Forward(
        HostTensor input, HostTensor weights, HostTensor? bias, Convolution2dGeometry geometry, bool relu)
    {
        var output = new HostTensor(OutputShape(input.Shape, weights.Shape, geometry));
        double[] y = output.Values, x = input.Values, w = weights.Values;
        ForEachProduct(input.Shape, weights.Shape, geometry, (to, from, weight) => y[to] += x[from] * w[weight]);
        for (int i = 0; i < output.Values.Length; i++)
        {
            if (bias is not null) output.Values[i] += bias.Values[i / output.Shape.Plane % output.Shape.C];
            if (relu && output.Values[i] < 0) output.Values[i] = 0;
        }

        return output;
    }

    public static HostTensor InputGradient(
        HostTensor outputGradient, HostTensor weights, Convolution2dGeometry geometry, Shape inputShape)
    {
        var gradient = new HostTensor(inputShape);
        double[] dx = gradient.Values, dy = outputGradient.Values, w = weights.Values;
        ForEachProduct(inputShape, weights.Shape, geometry, (to, from, weight) => dx[from] += dy[to] * w[weight]);
        return gradient;
    }

    public static HostTensor WeightGradient(
        HostTensor input, HostTensor outputGradient, Convolution2dGeometry geometry, Shape weightShape)
    {
        var gradient = new HostTensor(weightShape);
        double[] dw = gradient.Values, dy = outputGradient.Values, x = input.Values;
        ForEachProduct(input.Shape, weightShape, geometry, (to, from, weight) => dw[weight] += dy[to] * x[from]);
        return gradient;
    }

    public static HostTensor BiasGradient(HostTensor outputGradient)
    {
        var gradient = new HostTensor(Shape.Vector(outputGradient.Shape.C));
        for (int i = 0; i < outputGradient.Values.Length; i++)
            gradient.Values[i / outputGradient.Shape.Plane % outputGradient.Shape.C] += outputGradient.Values[i];
        return gradient;
    }

    public static Shape OutputShape(Shape input, Shape weights, Convolution2dGeometry geometry) => new(
        input.N, weights.N,
        (input.H + 2 * geometry.Padding - weights.H) / geometry.Stride + 1,
        (input.W + 2 * geometry.Padding - weights.W) / geometry.Stride + 1);

    /// <summary>Calls back for each product with the places of its output, input and weight in their tensors. Few
    /// numbers, because tests of whole layers come here a hundred million times.</summary>
    private static void ForEachProduct(
        Shape input, Shape weights, Convolution2dGeometry geometry, Action<int, int, int> visit)
    {
        Shape output = OutputShape(input, weights, geometry);
        int to = 0;
        for (int n = 0; n < output.N; n++)
            for (int co = 0; co < output.C; co++)
                for (int oy = 0; oy < output.H; oy++)
                    for (int ox = 0; ox < output.W; ox++, to++)
                    {
                        int weight = co * weights.C * weights.H * weights.W;
                        for (int ci = 0; ci < weights.C; ci++)
                            for (int ky = 0; ky < weights.H; ky++)
                                for (int kx = 0; kx < weights.W; kx++, weight++)
                                {
                                    int y = oy * geometry.Stride + ky - geometry.Padding;
                                    int x = ox * geometry.Stride + kx - geometry.Padding;
                                    if (y >= 0 && y < input.H && x >= 0 && x < input.W)
                                        visit(to, ((n * input.C + ci) * input.H + y) * input.W + x, weight);
                                }
                    }
    }
}
