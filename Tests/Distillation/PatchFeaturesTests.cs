using EfficientAD.Distillation;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Distillation;

public class PatchFeaturesTests
{
    private static readonly ReferenceFile Reference = ReferenceFile.Open("torch/patch_features.safetensors");

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    public void Compute_MatchesPatchCoreInPyTorch(int i)
    {
        int[] extents = [.. Reference.Integers($"{i}.case").ToArray().Select(value => (int)value)];
        FeatureMap features = new PatchFeatures().Compute(
            Drawn(i, 0, extents[0], extents[1], extents[2]), Drawn(i, 1, extents[3], extents[4], extents[5]));
        Assert.Equal((384, extents[1], extents[2]), (features.Channels, features.Height, features.Width));
        TensorAssert.Close(
            Reference.Floats($"{i}.features"), features.Values.Span, absolute: 1e-6,
            because: "sums of at most 60 products of values below 1, weights that add up to 1");
    }

    /// <summary>A stage of ones is 1 inside; at a border a third of every patch is zero padding, in a corner five
    /// ninths.</summary>
    [Fact]
    public void Borders_CountAsZeros()
    {
        var ones = new FeatureMap(1024, 3, 3, Enumerable.Repeat(1f, 1024 * 9).ToArray());
        ReadOnlySpan<float> features = new PatchFeatures().Compute(ones, ones).Values.Span;
        float[] expected = [4 / 9f, 6 / 9f, 4 / 9f, 6 / 9f, 1, 6 / 9f, 4 / 9f, 6 / 9f, 4 / 9f];
        TensorAssert.Close(expected, features[^9..], 1e-6, because: "nine weights of 1 / 9, summed over channels");
    }

    [Fact]
    public void AnotherChannelCount_IsRefused()
    {
        var features = new PatchFeatures();
        features.Compute(Drawn(0, 0, 8, 1, 1), Drawn(0, 1, 16, 1, 1));
        var error = Assert.Throws<ArgumentException>(
            () => features.Compute(Drawn(0, 0, 9, 1, 1), Drawn(0, 1, 16, 1, 1)));
        Assert.Contains("[9, 1, 1] must have 8 channels", error.Message);
    }

    private static FeatureMap Drawn(int seed, ulong stream, int channels, int height, int width) =>
        new(channels, height, width, References.Drawn.Symmetric((ulong)seed, stream, 1, channels * height * width));
}
