using EfficientAD.Networks;

namespace EfficientAD.Benchmarks;

/// <summary>A convolution of the networks, without padding.</summary>
/// <param name="Height">Of the output.</param>
/// <param name="Width">Of the output.</param>
/// <param name="Used">How many of the outputs the pooling behind it looks at.</param>
internal sealed record Layer(string Name, int Inputs, int Outputs, int Kernel, int Height, int Width, int Used)
{
    /// <summary>Of the direct convolution.</summary>
    public double MultiplyAdds => (double)Used * Inputs * Outputs * Kernel * Kernel;
}

/// <summary>What a detection computes, counted as direct convolutions of the values that are used.</summary>
internal static class DetectionWork
{
    // Encoder and decoder at 256 x 256: their extents depend on nothing else.
    private const double AutoencoderMultiplyAdds = 2.39e9;

    /// <summary>The layers of one patch description network.</summary>
    public static IEnumerable<Layer> Layers(PdnSize size, int outputs, int height, int width)
    {
        (int Outputs, int Kernel)[] kernels = size == PdnSize.Small
            ? [(128, 4), (256, 4), (256, 3), (outputs, 4)]
            : [(256, 4), (512, 4), (512, 1), (512, 3), (outputs, 4), (outputs, 1)];
        int inputs = 3;
        foreach ((int index, (int channels, int kernel)) in kernels.Index())
        {
            (height, width) = (height - kernel + 1, width - kernel + 1);
            bool pools = index < 2;
            int used = pools ? height / 2 * 2 * (width / 2 * 2) : height * width;
            yield return new Layer($"conv{index + 1}", inputs, channels, kernel, height, width, used);
            if (pools) (height, width) = (height / 2, width / 2);
            inputs = channels;
        }
    }

    /// <summary>Teacher, student and autoencoder.</summary>
    public static double MultiplyAdds(PdnSize size, int height, int width) =>
        Layers(size, 384, height, width).Concat(Layers(size, 768, height, width)).Sum(layer => layer.MultiplyAdds)
        + AutoencoderMultiplyAdds;
}
