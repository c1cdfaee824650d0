using EfficientAD.Backends;

namespace EfficientAD.Networks;

/// <summary>Makes a PDN-M compute what a PDN-S does, so that its training starts where the small one's ended (after
/// Chen, Goodfellow and Shlens, "Net2Net", ICLR 2016).</summary>
/// <remarks>The first channels of each layer are the small network's, and see nothing of the others; the others keep
/// their random weights, and the zeros between the two groups learn. M's 1x1 layers, which S lacks, start as
/// identities.</remarks>
internal static class NetworkGrowth
{
    // M rectifies what S leaves signed. Added before and taken off behind, it keeps all values from -4 on: six standard
    // deviations of a teacher's features, which imitate targets of unit variance.
    private const float Shift = 4;

    /// <param name="large">Initialised; overwritten where it has to compute what <paramref name="small"/> does.</param>
    public static void Grow(IBackend backend, PatchDescriptionNetwork small, PatchDescriptionNetwork large)
    {
        if (small.Size != PdnSize.Small || large.Size != PdnSize.Medium || small.Outputs != large.Outputs)
        {
            throw new ArgumentException(
                $"A network of size {small.Size} with {small.Outputs} outputs cannot grow to size {large.Size} with " +
                $"{large.Outputs}.");
        }

        IReadOnlyList<ConvolutionLayer> from = small.Layers, to = large.Layers;
        Embed(backend, from[0], to[0]);
        Embed(backend, from[1], to[1]);
        SetIdentity(backend, to[2], from[2].Weights.Value.Shape.C);
        Embed(backend, from[2], to[3]);
        Embed(backend, from[3], to[4], Shift);
        SetIdentity(backend, to[5], small.Outputs, Shift);
    }

    private static void Embed(IBackend backend, ConvolutionLayer small, ConvolutionLayer large, float shift = 0)
    {
        (float[] source, float[] sourceBias) =
            (backend.Download(small.Weights.Value), backend.Download(small.Bias.Value));
        int narrow = (int)small.Weights.Value.Shape.SampleCount;
        Overwrite(backend, large, small.Weights.Value.Shape.N, (row, weights) =>
        {
            source.AsSpan(row * narrow, narrow).CopyTo(weights);
            return sourceBias[row] + shift;
        });
    }

    private static void SetIdentity(IBackend backend, ConvolutionLayer layer, int channels, float shift = 0) =>
        Overwrite(backend, layer, channels, (row, weights) =>
        {
            weights[row] = 1;
            return -shift;
        });

    private delegate float RowWriter(int row, Span<float> zeroedWeights);

    /// <param name="write">Fills a row's weights and returns its bias.</param>
    private static void Overwrite(IBackend backend, ConvolutionLayer layer, int rows, RowWriter write)
    {
        (float[] weights, float[] bias) = (backend.Download(layer.Weights.Value), backend.Download(layer.Bias.Value));
        int each = (int)layer.Weights.Value.Shape.SampleCount;
        for (int row = 0; row < rows; row++)
        {
            Span<float> rowWeights = weights.AsSpan(row * each, each);
            rowWeights.Clear();
            bias[row] = write(row, rowWeights);
        }

        backend.Upload(weights, layer.Weights.Value);
        backend.Upload(bias, layer.Bias.Value);
    }
}
