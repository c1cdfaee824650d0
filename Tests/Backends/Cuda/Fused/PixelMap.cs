using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>A map [n, h, w, c] of half precision on the host, and layers over such maps by definition: one loop over
/// every product of the rounded factors, sums in double.</summary>
internal sealed record PixelMap(Shape Shape, Half[] Values)
{
    public Half this[int n, int y, int x, int c] => Values[((n * Shape.H + y) * Shape.W + x) * Shape.C + c];

    /// <summary>Uniform in +-1.</summary>
    public static PixelMap Random(Shape shape, ulong seed) =>
        new(shape, Array.ConvertAll(Drawn.Symmetric(seed, 0, 1, shape.Count), value => (Half)value));

    /// <summary>Weights uniform in +-sqrt(3 / fan-in), so that outputs are about as large as inputs; biases in
    /// +-1/2.</summary>
    public static LayerWeights Layer(int outputs, int inputs, int kernel, ulong seed)
    {
        var shape = new Shape(outputs, inputs, kernel, kernel);
        return new LayerWeights(
            shape, Drawn.Symmetric(seed, 1, Math.Sqrt(3.0 / shape.SampleCount), shape.Count),
            Drawn.Symmetric(seed, 2, 0.5, outputs));
    }

    /// <summary>The convolution [n, oh, ow, co] of as many channels as the layer has inputs, from one on.</summary>
    public double[] Convolve(LayerWeights layer, int firstChannel = 0)
    {
        (int inputs, int kernel, int outputs) = (layer.Shape.C, layer.Shape.H, layer.Shape.N);
        (int height, int width) = (Shape.H - kernel + 1, Shape.W - kernel + 1);
        double[] weights = Array.ConvertAll(layer.Weights, weight => (double)(Half)weight);
        double[] values = Array.ConvertAll(Values, value => (double)value);
        var result = new double[Shape.N * height * width * outputs];
        Parallel.For(0, Shape.N * height * width, pixel =>
        {
            (int n, int y, int x) = (pixel / (height * width), pixel / width % height, pixel % width);
            for (int output = 0; output < outputs; output++)
            {
                double sum = layer.Bias[output];
                for (int ky = 0; ky < kernel; ky++)
                {
                    for (int kx = 0; kx < kernel; kx++)
                    {
                        int from = ((n * Shape.H + y + ky) * Shape.W + x + kx) * Shape.C + firstChannel;
                        int weight = output * inputs * kernel * kernel + ky * kernel + kx;
                        for (int c = 0; c < inputs; c++)
                            sum += values[from + c] * weights[weight + c * kernel * kernel];
                    }
                }

                result[pixel * outputs + output] = sum;
            }
        });
        return result;
    }

    /// <summary>One value of that convolution.</summary>
    public double ConvolveAt(LayerWeights layer, int n, int y, int x, int output, int firstChannel = 0)
    {
        (int inputs, int kernel) = (layer.Shape.C, layer.Shape.H);
        double sum = layer.Bias[output];
        for (int i = 0; i < inputs * kernel * kernel; i++)
        {
            (int c, int ky, int kx) = (i / (kernel * kernel), i / kernel % kernel, i % kernel);
            Half weight = (Half)layer.Weights[output * inputs * kernel * kernel + i];
            sum += (double)this[n, y + ky, x + kx, firstChannel + c] * (double)weight;
        }

        return sum;
    }

    /// <summary>Rectified in place.</summary>
    public static double[] Rectify(double[] values)
    {
        for (int i = 0; i < values.Length; i++) values[i] = values[i] < 0 ? 0 : values[i];
        return values;
    }

    /// <summary>Averages of 2 x 2 pixels; a last odd row or column is left out.</summary>
    public static double[] Pool(double[] values, int n, int h, int w, int c)
    {
        (int height, int width) = (h / 2, w / 2);
        var result = new double[n * height * width * c];
        for (int i = 0; i < result.Length; i++)
        {
            (int channel, int pixel) = (i % c, i / c);
            (int sample, int y, int x) = (pixel / (height * width), pixel / width % height, pixel % width);
            int from = ((sample * h + 2 * y) * w + 2 * x) * c + channel;
            result[i] = (values[from] + values[from + c] + values[from + w * c] + values[from + w * c + c]) / 4;
        }

        return result;
    }

    /// <summary>Two maps of the same pixels, the channels of the first one before those of the second.</summary>
    public static double[] Join(double[] first, int firstChannels, double[] second, int secondChannels)
    {
        int channels = firstChannels + secondChannels, pixels = first.Length / firstChannels;
        var result = new double[pixels * channels];
        for (int i = 0; i < pixels; i++)
        {
            first.AsSpan(i * firstChannels, firstChannels).CopyTo(result.AsSpan(i * channels));
            second.AsSpan(i * secondChannels, secondChannels).CopyTo(result.AsSpan(i * channels + firstChannels));
        }

        return result;
    }
}
