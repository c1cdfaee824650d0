using EfficientAD.Networks;

namespace EfficientAD.Distillation;

/// <summary>What a distillation is asked to do. The defaults suit hours on a processor, not the paper's 60,000 steps of
/// 16 whole images.</summary>
public sealed record DistillationOptions
{
    public PdnSize Size { get; init; } = PdnSize.Small;

    /// <summary>Optimiser steps; null when <see cref="Duration"/> decides.</summary>
    public int? Steps { get; init; } = 20_000;

    /// <summary>Time for the whole run: the number of steps follows the pace. After an interruption it stays what it
    /// was.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Views per step.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Extent of a view as the teacher sees it, in pixels, a multiple of 16; the backbone sees twice as
    /// many.</summary>
    public int ViewSize { get; init; } = 128;

    /// <summary>Different views of each image; after as many epochs they come again, and the cache spares the
    /// backbone.</summary>
    public int ViewsPerImage { get; init; } = 8;

    /// <summary>The highest learning rate: it rises to it over the first steps, then falls along half a cosine to
    /// zero. From 1e-3 on, layers of thousands of inputs lose units for good, or diverge.</summary>
    public float LearningRate { get; init; } = 4e-4f;

    /// <summary>L2 decay added to the gradient.</summary>
    public float WeightDecay { get; init; } = 1e-5f;

    /// <summary>Whether the teacher is trained padded, as in the paper. Without, it only learns where it sees real
    /// pixels, which is all that an unpadded network ever uses and costs less.</summary>
    public bool Padded { get; init; }

    public ulong Seed { get; init; } = 1;

    /// <summary>A teacher's file whose weights the run starts from; null draws them. A medium teacher may start from a
    /// small one: it then computes the same, and learns from there.</summary>
    public string? InitialTeacher { get; init; }

    /// <summary>Images that are never trained on; their loss tells how good the teacher is.</summary>
    public int HeldBack { get; init; } = 50;

    /// <summary>Steps from one measurement of the held-back loss to the next.</summary>
    public int EvaluationInterval { get; init; } = 250;

    /// <summary>Views whose targets give the channel means and standard deviations.</summary>
    public int StatisticsViews { get; init; } = 256;

    /// <summary>The teacher's file to write; the checkpoint goes beside it, with ".checkpoint" behind the
    /// name.</summary>
    public required string TeacherPath { get; init; }

    /// <summary>Where targets are kept.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>Bytes that the cache may take.</summary>
    public long CacheBudget { get; init; } = 8L << 30;

    /// <summary>Time between checkpoints.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Goes on from the checkpoint of an interrupted run with the same options.</summary>
    public bool Resume { get; init; }

    /// <summary>Goes into the file's metadata: the command that made it.</summary>
    public string Command { get; init; } = "";

    /// <summary>Goes into the file's metadata: whose work the images and the backbone are, and what that
    /// allows.</summary>
    public string Licence { get; init; } = "";

    internal string CheckpointPath => TeacherPath + ".checkpoint";

    /// <exception cref="ArgumentException">An option is out of range, or two contradict each other.</exception>
    internal void Validate(int images)
    {
        if (Steps is null == Duration is null)
            throw new ArgumentException("A distillation has either a number of steps or a duration.");
        if (Steps < 1) throw new ArgumentException($"A distillation has at least 1 step, not {Steps}.");
        if (Duration < TimeSpan.FromSeconds(10))
            throw new ArgumentException($"A distillation takes at least 10 seconds, not {Duration}.");
        if (ViewSize % 16 != 0 || ViewSize is < 48 or > 1024)
            throw new ArgumentException($"Views have {ViewSize} pixels a side; give a multiple of 16 from 48 to 1024.");
        if (BatchSize < 1) throw new ArgumentException($"A step takes at least 1 view, not {BatchSize}.");
        if (ViewsPerImage < 1) throw new ArgumentException($"An image has at least 1 view, not {ViewsPerImage}.");
        if (StatisticsViews < 1)
            throw new ArgumentException($"Statistics need at least 1 view, not {StatisticsViews}.");
        if (EvaluationInterval < 1)
            throw new ArgumentException($"Measurements are at least 1 step apart, not {EvaluationInterval}.");
        if (!(LearningRate > 0) || !(WeightDecay >= 0))
        {
            throw new ArgumentException(
                $"The learning rate ({LearningRate}) must be positive and the weight decay ({WeightDecay}) " +
                "not negative.");
        }

        if (HeldBack < 1 || images - HeldBack < 1)
        {
            throw new ArgumentException(
                $"Of {images} images {HeldBack} are to be held back; at least 1 must be, and 1 must remain. " +
                "Give more images.");
        }

        if (Resume && !File.Exists(CheckpointPath))
        {
            throw new ArgumentException(
                $"There is nothing to resume: {CheckpointPath} does not exist. Start without --resume.");
        }
    }

    /// <summary>What decides the outcome, in one line.</summary>
    internal string Describe() => FormattableString.Invariant(
        $"{Size}, {(Padded ? "padded" : "unpadded")}, {Length}, batch {BatchSize}, views of {ViewSize}, ") +
        FormattableString.Invariant(
        $"{ViewsPerImage} per image, learning rate {LearningRate}, decay {WeightDecay}, seed {Seed}, ") +
        FormattableString.Invariant($"{HeldBack} held back, measured every {EvaluationInterval} steps, ") +
        $"statistics of {StatisticsViews} views{(InitialTeacher is null ? "" : $", from {InitialTeacher}")}";

    private string Length => Duration is { } duration
        ? FormattableString.Invariant($"{duration.TotalMinutes:0.##} minutes")
        : $"{Steps} steps";
}
