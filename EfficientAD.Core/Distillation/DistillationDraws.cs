using EfficientAD.Tensors;

namespace EfficientAD.Distillation;

/// <summary>Every random choice of a distillation as a pure function of the seed and the sample's number.</summary>
internal sealed class DistillationDraws
{
    private readonly ulong _seed;
    private readonly int _viewsPerImage;
    private readonly int[] _training;
    private int[] _order = [];
    private int _epoch = -1;

    /// <param name="images">Number of images; some are held back.</param>
    public DistillationDraws(ulong seed, int images, int heldBack, int viewsPerImage)
    {
        (_seed, _viewsPerImage) = (seed, viewsPerImage);
        int[] shuffled = Shuffle([.. Enumerable.Range(0, images)], Stream(Purpose.Split, 0));
        HeldBack = shuffled[..heldBack];
        _training = shuffled[heldBack..];
    }

    private enum Purpose : ulong { Split = 16, Order, View, Weights, Units }

    /// <summary>The images that are not trained on.</summary>
    public IReadOnlyList<int> HeldBack { get; }

    public CounterRandom Weights => Stream(Purpose.Weights, 0);

    /// <summary>The weights of units that a layer starts anew after so many steps.</summary>
    public CounterRandom Units(int step, int layer) => Stream(Purpose.Units, (long)step << 8 | (uint)layer);

    /// <summary>Which view of which image the run's <paramref name="sample"/>-th sample is: each image once per epoch,
    /// the next view in the next epoch.</summary>
    public (int Image, int View) Sample(long sample)
    {
        int epoch = (int)(sample / _training.Length);
        if (epoch != _epoch) (_order, _epoch) = (Shuffle([.. _training], Stream(Purpose.Order, epoch)), epoch);
        return (_order[(int)(sample % _training.Length)], epoch % _viewsPerImage);
    }

    /// <summary>Where the randomness of a view comes from.</summary>
    public CounterRandom View(int image, int view) => Stream(Purpose.View, (long)view << 32 | (uint)image);

    private static int[] Shuffle(int[] values, CounterRandom random)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int j = random.Below((ulong)i, i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }

        return values;
    }

    private CounterRandom Stream(Purpose purpose, long index) => new(_seed, ((ulong)purpose << 56) | (ulong)index);
}
