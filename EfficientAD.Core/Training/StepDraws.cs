using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>Every random choice of a run as a pure function of seed and step, so that a resumed run draws what an
/// uninterrupted one would have.</summary>
/// <param name="seed">The run's seed.</param>
public sealed class StepDraws(ulong seed)
{
    /// <summary>Random streams of dropout from one step to the next.</summary>
    internal const int DropoutsPerStep = 16;

    private const float SmallestFactor = 0.8f, LargestFactor = 1.2f, GreyProbability = 0.3f;

    private int[] _order = [];
    private int _epoch = -1;

    private enum Purpose : ulong { Shuffle, Jitter, Penalty, Dropout, Student, Autoencoder }

    /// <summary>Which training image the <paramref name="sample"/>-th sample of the run is: every image once per
    /// epoch.</summary>
    public int ImageIndex(long sample, int count)
    {
        int epoch = (int)(sample / count);
        if (epoch != _epoch || _order.Length != count)
        {
            _order = Stream(Purpose.Shuffle, epoch).Permutation(count);
            _epoch = epoch;
        }

        return _order[(int)(sample % count)];
    }

    /// <summary>One of brightness, contrast and saturation, by a factor in [0.8, 1.2] (algorithm of the paper's
    /// appendix).</summary>
    public ColourAdjustment Jitter(long sample)
    {
        CounterRandom random = Stream(Purpose.Jitter, sample);
        ColourAdjustmentKind kind = random.Below(0, 3) switch
        {
            0 => ColourAdjustmentKind.Brightness,
            1 => ColourAdjustmentKind.Contrast,
            _ => ColourAdjustmentKind.Saturation,
        };
        return new ColourAdjustment(kind, random.Uniform(1, SmallestFactor, LargestFactor));
    }

    /// <summary>Which penalty image, and whether it turns grey.</summary>
    public (int Index, ColourAdjustment Adjustment) Penalty(long sample, int count)
    {
        CounterRandom random = Stream(Purpose.Penalty, sample);
        bool grey = random.Uniform(1) < GreyProbability;
        return (random.Below(0, count), grey ? ColourAdjustment.Grey : ColourAdjustment.None);
    }

    /// <summary>The mask of one dropout layer in one step.</summary>
    public CounterRandom Dropout(int step, int layer) => Stream(Purpose.Dropout, (long)step * DropoutsPerStep + layer);

    /// <summary>Where the student's first weights come from.</summary>
    public CounterRandom StudentWeights => Stream(Purpose.Student, 0);

    /// <summary>Where the autoencoder's first weights come from.</summary>
    public CounterRandom AutoencoderWeights => Stream(Purpose.Autoencoder, 0);

    private CounterRandom Stream(Purpose purpose, long index) => new(seed, ((ulong)purpose << 56) | (ulong)index);
}
