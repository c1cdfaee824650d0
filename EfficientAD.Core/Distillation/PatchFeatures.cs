using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;

namespace EfficientAD.Distillation;

/// <summary>What the teacher learns to predict: features as PatchCore builds them (Roth et al., 2022; EfficientAD,
/// section 3.1 and appendix A.2) from two stages of a backbone.</summary>
/// <remarks>The published order is: cut patches, resize those of the later stage, pool 1024 + 1024 values to 384. All
/// three are linear and act on different axes, and 2048 / 384 divides at the boundary between the stages; so each stage
/// is pooled to its 192 channels first, and the later one's small map is resized last. Only rounding differs.
/// Thread-safe.</remarks>
public sealed class PatchFeatures
{
    private readonly Lock _lock = new();
    private PatchPooling? _earlier, _later;

    /// <summary>Pools two stages to [384, h, w], h and w being the earlier stage's.</summary>
    public FeatureMap Compute(FeatureMap earlier, FeatureMap later)
    {
        PatchPooling earlierPooling, laterPooling;
        lock (_lock)
        {
            earlierPooling = _earlier ??= new PatchPooling(earlier.Channels);
            laterPooling = _later ??= new PatchPooling(later.Channels);
        }

        var values = new float[PatchDescriptionNetwork.TeacherChannels * earlier.Height * earlier.Width];
        FeatureMap fine = earlierPooling.Apply(earlier), coarse = laterPooling.Apply(later);
        fine.Values.Span.CopyTo(values);
        Resize(coarse, earlier.Height, earlier.Width, values.AsSpan(fine.Values.Length));
        return new FeatureMap(PatchDescriptionNetwork.TeacherChannels, earlier.Height, earlier.Width, values);
    }

    /// <summary>Bilinear, align_corners = false.</summary>
    private static void Resize(FeatureMap source, int height, int width, Span<float> destination)
    {
        BilinearTaps columns = new(source.Width, width), rows = new(source.Height, height);
        int plane = source.Height * source.Width;
        for (int c = 0; c < source.Channels; c++)
        {
            ReadOnlySpan<float> values = source.Values.Span.Slice(c * plane, plane);
            for (int y = 0; y < height; y++)
            {
                ReadOnlySpan<float> low = values[(rows.Low[y] * source.Width)..];
                ReadOnlySpan<float> high = values[(rows.High[y] * source.Width)..];
                for (int x = 0; x < width; x++)
                {
                    int left = columns.Low[x], right = columns.High[x];
                    float a = low[left] + columns.Fraction[x] * (low[right] - low[left]);
                    float b = high[left] + columns.Fraction[x] * (high[right] - high[left]);
                    destination[(c * height + y) * width + x] = a + rows.Fraction[y] * (b - a);
                }
            }
        }
    }
}
