using System.Globalization;
using EfficientAD.Detection;

namespace EfficientAD.Training;

/// <summary>What a published training recipe fixes.</summary>
public sealed record Recipe
{
    public required string Name { get; init; }

    public int Steps { get; init; } = 70_000;

    /// <summary>Images per step; the hard-feature quantile is taken per image, so that a batch is the sum of single
    /// steps.</summary>
    public int BatchSize { get; init; } = 1;

    public float LearningRate { get; init; } = 1e-4f;

    /// <summary>L2 decay added to the gradient.</summary>
    public float WeightDecay { get; init; } = 1e-5f;

    public LearningRateSchedule Schedule { get; init; }

    /// <summary>Whether the student is punished for knowing patches outside of the data set (paper, section
    /// 3.2).</summary>
    public bool Penalty { get; init; } = true;

    /// <summary>Quantile from which on a difference counts in the hard-feature loss, in [0, 1); at 0 it is the mean
    /// squared error.</summary>
    public float HardQuantile { get; init; } = 0.999f;

    /// <summary>Whether an autoencoder is trained and its map counts (paper, section 3.3).</summary>
    public bool Autoencoder { get; init; } = true;

    /// <summary>Whether each map has a scale of its own (paper, section 3.4), or both have one.</summary>
    public bool SeparateMapScales { get; init; } = true;

    /// <summary>Whether training drops a fifth of the autoencoder's decoded values (paper, table 7).</summary>
    public bool Dropout { get; init; } = true;

    /// <summary>Starts the student's hidden layers from the teacher's instead of from random numbers: it then learns in
    /// hundreds of steps what else takes thousands. Its last layer starts random, and learns nothing about features
    /// that good images do not show. The autoencoder starts from weights that keep variance
    /// (<see cref="Networks.Autoencoder.InitializeKeepingVariance"/>).</summary>
    public bool WarmStart { get; init; }

    /// <summary>Padded networks (64 x 64 maps at 256) instead of unpadded ones (56 x 56).</summary>
    public bool Padded { get; init; }

    public MapOrder MapOrder { get; init; }

    /// <summary>Whether the global map counts only as far as the autoencoder has learned
    /// (<see cref="AutoencoderFit"/>), or fully, as published. After few steps it is mostly noise, which the map's own
    /// quantiles would scale up to the local map's range.</summary>
    public bool WeighsGlobalMap { get; init; }

    /// <summary>Whether the local map is multiplied, place by place, by what the student's usual error there says
    /// (<see cref="PlaceWeightFit"/>), and smoothed over 3 x 3 places; else it stays as it is, as published.</summary>
    public bool WeighsPlaces { get; init; }

    /// <summary>The open re-implementation's, with the penalty that it switches off by default.</summary>
    public static Recipe Reference => new() { Name = "reference", MapOrder = MapOrder.Reference };

    /// <summary>The paper's: padded networks, maps resized before they are scaled.</summary>
    public static Recipe Paper => new() { Name = "paper", Padded = true, MapOrder = MapOrder.Paper };

    /// <summary>anomalib's, with our validation split: its default takes the test set.</summary>
    public static Recipe Anomalib => new() { Name = "anomalib", MapOrder = MapOrder.Anomalib };

    /// <summary>For minutes instead of hours: a student that starts from the teacher's hidden layers, few steps at a
    /// larger rate that warms up and falls, a hard-feature loss that learns from a tenth of the features instead of a
    /// thousandth, and a local map whose places are weighed. No decay: where images share little, its gradient exceeds
    /// the autoencoder's own, Adam scales it up to the whole rate, and a hundred such steps leave the autoencoder
    /// dead. No dropout either: few steps do not overfit an autoencoder, and the noise slows it.</summary>
    public static Recipe Quick => new()
    {
        Name = "quick",
        Steps = 1_000,
        LearningRate = 1e-3f,
        WeightDecay = 0,
        Schedule = LearningRateSchedule.WarmUpCosine,
        Dropout = false,
        WarmStart = true,
        HardQuantile = 0.9f,
        MapOrder = MapOrder.Aligned,
        WeighsGlobalMap = true,
        WeighsPlaces = true,
    };

    /// <summary>A baseline to read the others by: a student of random weights that imitates the teacher, by the mean
    /// squared error, and nothing else.</summary>
    public static Recipe StudentTeacher => Quick with
    {
        Name = "student-teacher",
        WarmStart = false,
        HardQuantile = 0,
        Penalty = false,
        Autoencoder = false,
        WeighsPlaces = false,
    };

    /// <summary>The recipes that have a name.</summary>
    public static IReadOnlyList<Recipe> Published { get; } = [Reference, Paper, Anomalib, Quick, StudentTeacher];

    /// <exception cref="ArgumentException">No recipe has this name.</exception>
    public static Recipe Named(string name) =>
        Published.FirstOrDefault(recipe => recipe.Name == name)
        ?? throw new ArgumentException(
            $"There is no recipe '{name}'. Choose {string.Join(", ", Published.Select(recipe => recipe.Name))}.",
            nameof(name));

    /// <summary>All but the number of steps, the same in every culture: an interrupted run goes on only by the rules it
    /// began with.</summary>
    internal string Describe() => string.Create(
        CultureInfo.InvariantCulture,
        $"recipe {Name}: batch {BatchSize}, rate {LearningRate} {Schedule}, decay {WeightDecay}, penalty {Penalty}, " +
        $"hard quantile {HardQuantile}, autoencoder {Autoencoder}, dropout {Dropout}, warm start {WarmStart}, " +
        $"padded {Padded}, map order {MapOrder}, separate scales {SeparateMapScales}, " +
        $"global map weighed {WeighsGlobalMap}, places weighed {WeighsPlaces}");

    /// <param name="step">From 0.</param>
    /// <param name="steps">Of the whole run.</param>
    public float LearningRateAt(int step, int steps)
    {
        if (Schedule == LearningRateSchedule.StepAt95Percent)
            return step < (int)(0.95 * steps) ? LearningRate : 0.1f * LearningRate;
        double warmUp = Math.Max(1, 0.05 * steps), floor = 0.01;
        if (step < warmUp) return (float)(LearningRate * (step + 1) / (warmUp + 1));
        double progress = (step - warmUp) / Math.Max(1, steps - warmUp);
        return (float)(LearningRate * (floor + (1 - floor) * 0.5 * (1 + Math.Cos(Math.PI * progress))));
    }
}
