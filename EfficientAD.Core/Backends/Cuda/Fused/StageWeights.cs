using EfficientAD.Networks.Folding;
using EfficientAD.Networks.Quantization;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>Weights in half precision or in numbers of 8 bits, in the order in which the stages of a fused convolution
/// take them: [outputs / 128][k / stage] blocks of 128 rows of 64 bytes, 32 or 64 of k, ready for shared
/// memory.</summary>
/// <remarks>k is (layer, ky, kx, input channel). Within a block rows are permuted and the four chunks of a row
/// exchanged: fused_convolution.cuh says how and why.</remarks>
internal static class StageWeights
{
    private const int Rows = FusedTile.Channels, RowBytes = 64, Chunks = 4, WarpRows = 64;
    private const int HalfDepth = RowBytes / sizeof(ushort), ByteDepth = RowBytes;

    /// <summary>Packs layers whose sums are added up: they have the same outputs, and each inputs of its own.</summary>
    /// <param name="layers">Each with a factor.</param>
    public static Half[] Pack(params ReadOnlySpan<(LayerWeights Layer, float Factor)> layers)
    {
        int depth = DepthOf(layers, Rows, HalfDepth);
        var packed = new Half[(long)layers[0].Layer.Shape.N * depth];
        int first = 0;
        foreach ((LayerWeights layer, float factor) in layers)
        {
            Pack(layer, factor, packed, first, depth);
            first += (int)layer.Shape.SampleCount;
        }

        return packed;
    }

    /// <summary>Packs the bits of numbers.</summary>
    /// <exception cref="ArgumentException">The layer does not fit the blocks.</exception>
    public static byte[] Pack(QuantizedLayer layer)
    {
        (int outputs, int channels, int taps) = (layer.Shape.N, layer.Shape.C, layer.Shape.Plane);
        if (outputs % Rows != 0 || channels % ByteDepth != 0)
        {
            throw new ArgumentException(
                $"Fused convolution: weights {layer.Shape} of 8 bits; outputs must be a multiple of {Rows} and " +
                $"inputs of {ByteDepth}.");
        }

        int depth = channels * taps;
        var packed = new byte[outputs * depth];
        for (int i = 0; i < packed.Length; i++)
        {
            int channel = i / taps % channels, tap = i % taps;
            int to = IndexOf(i / depth, tap * channels + channel, depth, ByteDepth);
            packed[to] = layer.Format.BitsOfWeight(layer.Weights[i]);
        }

        return packed;
    }

    /// <summary>The k of all layers together.</summary>
    /// <param name="rows">Outputs of a block, of which the layers' are a multiple.</param>
    /// <param name="channels">Input channels of a step, likewise.</param>
    /// <exception cref="ArgumentException">A layer fits neither the others nor the blocks.</exception>
    public static int DepthOf(ReadOnlySpan<(LayerWeights Layer, float Factor)> layers, int rows, int channels)
    {
        int outputs = layers[0].Layer.Shape.N, depth = 0;
        foreach ((LayerWeights layer, _) in layers)
        {
            if (layer.Shape.N != outputs || outputs % rows != 0 || layer.Shape.C % channels != 0)
            {
                throw new ArgumentException(
                    $"Fused convolution: weights {layer.Shape}; outputs must be {outputs}, a multiple of {rows}, and " +
                    $"inputs a multiple of {channels}.");
            }

            depth += (int)layer.Shape.SampleCount;
        }

        return depth;
    }

    /// <summary>Where the weight of an output channel and a k lies.</summary>
    /// <param name="stage">k of a stage.</param>
    public static int IndexOf(int output, int k, int depth, int stage = HalfDepth)
    {
        int width = stage / Chunks, row = RowOf(output % Rows, WarpRows), chunk = k % stage / width ^ row / 2 % 4;
        return (output / Rows * (depth / stage) + k / stage) * Rows * stage + row * stage + chunk * width + k % width;
    }

    /// <summary>The row of a channel: 8 j + 2 t + e of each <paramref name="rows"/> is channel 32 (j / 4) + 8 t + 2 (j
    /// % 4) + e, so that the thread which owns columns 8 j + 2 t and 8 j + 2 t + 1 of a product for all j owns eight
    /// channels side by side.</summary>
    public static int RowOf(int channel, int rows)
    {
        int within = channel % rows, j = within / 32 * 4 + within % 8 / 2, t = within % 32 / 8;
        return channel - within + 8 * j + 2 * t + within % 2;
    }

    private static void Pack(LayerWeights layer, float factor, Half[] packed, int first, int depth)
    {
        (int channels, int taps) = (layer.Shape.C, layer.Shape.Plane);
        for (int output = 0; output < layer.Shape.N; output++)
        {
            for (int channel = 0; channel < channels; channel++)
            {
                for (int tap = 0; tap < taps; tap++)
                {
                    float weight = factor * layer.Weights[(output * channels + channel) * taps + tap];
                    packed[IndexOf(output, first + tap * channels + channel, depth)] = (Half)weight;
                }
            }
        }
    }
}
