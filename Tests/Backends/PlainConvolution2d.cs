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
        ForEachProduct(input.Shape, weights.Shape, geometry, (n, co, oy, ox, ci, ky, kx, y, x) =>
            output[n, co, oy, ox] += input[n, ci, y, x] * weights[co, ci, ky, kx]);
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
        ForEachProduct(inputShape, weights.Shape, geometry, (n, co, oy, ox, ci, ky, kx, y, x) =>
            gradient[n, ci, y, x] += outputGradient[n, co, oy, ox] * weights[co, ci, ky, kx]);
        return gradient;
    }

    public static HostTensor WeightGradient(
        HostTensor input, HostTensor outputGradient, Convolution2dGeometry geometry, Shape weightShape)
    {
        var gradient = new HostTensor(weightShape);
        ForEachProduct(input.Shape, weightShape, geometry, (n, co, oy, ox, ci, ky, kx, y, x) =>
            gradient[co, ci, ky, kx] += outputGradient[n, co, oy, ox] * input[n, ci, y, x]);
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

    private delegate void Product(int n, int co, int oy, int ox, int ci, int ky, int kx, int y, int x);

    private static void ForEachProduct(Shape input, Shape weights, Convolution2dGeometry geometry, Product visit)
    {
        Shape output = OutputShape(input, weights, geometry);
        for (int n = 0; n < output.N; n++)
            for (int co = 0; co < output.C; co++)
                for (int oy = 0; oy < output.H; oy++)
                    for (int ox = 0; ox < output.W; ox++)
                        for (int ci = 0; ci < weights.C; ci++)
                            for (int ky = 0; ky < weights.H; ky++)
                                for (int kx = 0; kx < weights.W; kx++)
                                {
                                    int y = oy * geometry.Stride + ky - geometry.Padding;
                                    int x = ox * geometry.Stride + kx - geometry.Padding;
                                    if (y >= 0 && y < input.H && x >= 0 && x < input.W)
                                        visit(n, co, oy, ox, ci, ky, kx, y, x);
                                }
    }
}
