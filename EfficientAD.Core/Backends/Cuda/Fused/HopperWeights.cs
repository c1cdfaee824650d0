using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>Weights in half precision as fused_convolution_hopper.cu takes them: [outputs, k], k being (layer, 64 input
/// channels, kx, ky, channel).</summary>
internal static class HopperWeights
{
    /// <summary>Output channels of a block, and input channels of a step.</summary>
    public const int Rows = 128, Depth = 64;

    /// <summary>Packs layers whose sums are added up: they have the same outputs, and each inputs of its own.</summary>
    /// <param name="layers">Each with a factor.</param>
    public static Half[] Pack(params ReadOnlySpan<(LayerWeights Layer, float Factor)> layers)
    {
        int outputs = layers[0].Layer.Shape.N, depth = 0;
        foreach ((LayerWeights layer, _) in layers)
        {
            if (layer.Shape.N != outputs || outputs % Rows != 0 || layer.Shape.C % Depth != 0)
            {
                throw new ArgumentException(
                    $"Fused convolution: weights {layer.Shape}; outputs must be {outputs}, a multiple of {Rows}, and inputs " +
                    $"a multiple of {Depth}.");
            }

            depth += (int)layer.Shape.SampleCount;
        }

        var packed = new Half[(long)outputs * depth];
        int first = 0;
        foreach ((LayerWeights layer, float factor) in layers)
        {
            Pack(layer, factor, packed.AsSpan(first), depth);
            first += (int)layer.Shape.SampleCount;
        }

        return packed;
    }

    private static void Pack(LayerWeights layer, float factor, Span<Half> packed, int depth)
    {
        (int channels, int size) = (layer.Shape.C, layer.Shape.H);
        for (int output = 0; output < layer.Shape.N; output++)
        {
            Span<Half> row = packed[(RowOf(output) * depth)..];
            int to = 0;
            for (int first = 0; first < channels; first += Depth)
            {
                for (int tap = 0; tap < size * size; tap++)
                {
                    (int kx, int ky) = (tap / size, tap % size);
                    for (int channel = first; channel < first + Depth; channel++)
                        row[to++] = (Half)(factor * layer.Weights[((output * channels + channel) * size + ky) * size + kx]);
                }
            }
        }
    }

    /// <summary>Rows are permuted so that the thread which owns columns 8 j + 2 t and 8 j + 2 t + 1 of a product for all j
    /// owns eight channels side by side: channel 32 (j / 4) + 8 t + 2 (j % 4) + e.</summary>
    private static int RowOf(int channel)
    {
        int within = channel % Rows, j = within / 32 * 4 + within % 8 / 2, t = within % 32 / 8;
        return channel - within + 8 * j + 2 * t + within % 2;
    }
}
