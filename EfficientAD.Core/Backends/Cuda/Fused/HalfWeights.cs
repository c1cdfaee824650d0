using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>Weights in half precision, in the orders in which the autoencoder's kernels read them. k is (ky, kx, input
/// channel).</summary>
internal static class HalfWeights
{
    private const int Depth = 16, Outputs = 16, Warp = 32, HalvesOfLane = 8;

    /// <summary>Fragments of mma, [k / 16][outputs / 16][lane][8], as half_patch.cuh wants them.</summary>
    /// <param name="layer">Its outputs a multiple of 32 and k of 16.</param>
    public static Half[] Fragments(LayerWeights layer)
    {
        int depth = (int)layer.Shape.SampleCount, pairs = layer.Shape.N / Outputs;
        if (layer.Shape.N % (2 * Outputs) != 0 || depth % Depth != 0)
        {
            throw new ArgumentException(
                $"HalfWeights: weights {layer.Shape}; outputs must be a multiple of {2 * Outputs} and the rest of " +
                $"{Depth}.");
        }

        var packed = new Half[layer.Weights.Length];
        int to = 0;
        for (int first = 0; first < depth; first += Depth)
        {
            for (int pair = 0; pair < pairs; pair++)
            {
                for (int lane = 0; lane < Warp; lane++)
                {
                    for (int i = 0; i < HalvesOfLane; i++)
                    {
                        int k = first + lane % 4 * 2 + i / 2 % 2 * 8 + i % 2;
                        packed[to++] = (Half)At(layer, OutputOf(2 * pair + i / 4, lane / 4), k);
                    }
                }
            }
        }

        return packed;
    }

    /// <summary>[outputs][k].</summary>
    public static Half[] Rows(LayerWeights layer)
    {
        int depth = (int)layer.Shape.SampleCount;
        var packed = new Half[layer.Weights.Length];
        for (int i = 0; i < packed.Length; i++) packed[i] = (Half)At(layer, i / depth, i % depth);
        return packed;
    }

    /// <summary>[ky, kx][outputs][inputs].</summary>
    public static Half[] Taps(LayerWeights layer)
    {
        (int outputs, int inputs) = (layer.Shape.N, layer.Shape.C);
        var packed = new Half[layer.Weights.Length];
        for (int i = 0; i < packed.Length; i++)
        {
            int tap = i / inputs / outputs;
            packed[i] = (Half)At(layer, i / inputs % outputs, tap * inputs + i % inputs);
        }

        return packed;
    }

    /// <summary>The channel of a column of mma's tile: a lane, which holds two columns of each of four tiles, gets
    /// eight neighbours.</summary>
    private static int OutputOf(int tile, int column) => tile / 4 * 32 + column / 2 * 8 + tile % 4 * 2 + column % 2;

    private static float At(LayerWeights layer, int output, int k)
    {
        (int channels, int taps) = (layer.Shape.C, layer.Shape.Plane);
        return layer.Weights[(output * channels + k % channels) * taps + k / channels];
    }
}
