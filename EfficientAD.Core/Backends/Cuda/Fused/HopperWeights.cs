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
        int depth = StageWeights.DepthOf(layers, Rows, Depth);
        var packed = new Half[(long)layers[0].Layer.Shape.N * depth];
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
            Span<Half> row = packed[(StageWeights.RowOf(output, Rows) * depth)..];
            int to = 0;
            for (int first = 0; first < channels; first += Depth)
            {
                for (int tap = 0; tap < size * size; tap++)
                {
                    (int kx, int ky) = (tap / size, tap % size);
                    for (int channel = first; channel < first + Depth; channel++)
                    {
                        int from = ((output * channels + channel) * size + ky) * size + kx;
                        row[to++] = (Half)(factor * layer.Weights[from]);
                    }
                }
            }
        }
    }
}
