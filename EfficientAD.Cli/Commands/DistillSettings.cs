using System.ComponentModel;
using EfficientAD.Cli.Distillation;
using EfficientAD.Cli.Output;
using EfficientAD.Distillation;
using EfficientAD.Networks;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class DistillSettings : ComputeSettings
{
    private const int LargestBatch = 256, SmallestView = 48, LargestView = 1024, LargestCache = 100_000;
    private const int DefaultSteps = 20_000;
    private const double ShortestMinutes = 1.0 / 6, LongestMinutes = 60 * 24 * 30;

    [CommandOption("--backbone <ONNX>", isRequired: true)]
    [Description("A classification network trained on natural images.")]
    public string Backbone { get; init; } = "";

    [CommandOption("--images <DIR>", isRequired: true)]
    [Description("Natural images of many kinds, at best ImageNet's.")]
    public string Images { get; init; } = "";

    [CommandOption("--out <FILE>")]
    [Description("The teacher to write; usable from the first checkpoint on.")]
    [DefaultValue("teacher.safetensors")]
    public string Out { get; init; } = "teacher.safetensors";

    [CommandOption("--stages <NAMES>")]
    [Description("The values of stride 8 and 16 in the graph, with a comma between; a wrong name lists all.")]
    [DefaultValue("layer2,layer3")]
    public string Stages { get; init; } = "layer2,layer3";

    [CommandOption("--normalization <NAME>")]
    [Description("What the backbone expects of its input: imagenet, caffe (BGR less its mean), or unit (0 to 1).")]
    [DefaultValue("imagenet")]
    public string Normalization { get; init; } = "imagenet";

    [CommandOption("--size <SIZE>")]
    [Description("S (2.7 M parameters) or M (8.0 M).")]
    [DefaultValue("S")]
    public string Size { get; init; } = "S";

    [CommandOption("--from <FILE>")]
    [Description("A teacher to start from instead of random weights; one of size S may grow to M.")]
    public string? From { get; init; }

    [CommandOption("--padded")]
    [Description("Train the padded network, as the paper does.")]
    public bool Padded { get; init; }

    [CommandOption("--steps <N>")]
    [Description("Optimiser steps. Default: 20000.")]
    public int? Steps { get; init; }

    [CommandOption("--minutes <T>")]
    [Description("As many steps as fit into this time, the learning rate falling accordingly.")]
    public double? Minutes { get; init; }

    [CommandOption("--batch <N>")]
    [Description("Views per step.")]
    [DefaultValue(4)]
    public int Batch { get; init; } = 4;

    [CommandOption("--view <PIXELS>")]
    [Description("Side of a view as the teacher sees it; the backbone sees it twice as large.")]
    [DefaultValue(128)]
    public int View { get; init; } = 128;

    [CommandOption("--views <N>")]
    [Description("Random views of each image before the first one comes again.")]
    [DefaultValue(8)]
    public int Views { get; init; } = 8;

    [CommandOption("--learning-rate <RATE>")]
    [Description("The highest; it rises to it and falls along a cosine.")]
    [DefaultValue(4e-4)]
    public double LearningRate { get; init; } = 4e-4;

    [CommandOption("--held-back <N>")]
    [Description("Images that are not trained on and tell how good the teacher is.")]
    [DefaultValue(50)]
    public int HeldBack { get; init; } = 50;

    [CommandOption("--seed <N>")]
    [Description("The same seed gives the same teacher on the same machine.")]
    [DefaultValue(1ul)]
    public ulong Seed { get; init; } = 1;

    [CommandOption("--cache <DIR>")]
    [Description("Where the backbone's features are kept for later epochs and runs. Default: beside the teacher.")]
    public string? Cache { get; init; }

    [CommandOption("--cache-gb <SIZE>")]
    [Description("Gigabytes that the cache may take; 0 keeps nothing.")]
    [DefaultValue(8.0)]
    public double CacheGigabytes { get; init; } = 8;

    [CommandOption("--licence <TEXT>")]
    [Description("Whose work backbone and images are and what that allows; goes into the file.")]
    [DefaultValue("")]
    public string Licence { get; init; } = "";

    [CommandOption("--resume")]
    [Description("Go on from the checkpoint of an interrupted run, with the same options.")]
    public bool Resume { get; init; }

    [CommandOption("--force")]
    [Description("Replace an existing teacher or checkpoint.")]
    public bool Force { get; init; }

    [CommandOption("--json")]
    [Description("Write progress and result as lines of JSON.")]
    public bool Json { get; init; }

    public string CheckpointPath => Out + ".checkpoint";

    /// <summary>The earlier and the later stage.</summary>
    public string[] StageNames => Stages.Split(',', StringSplitOptions.TrimEntries);

    public InputNormalization? InputNormalization =>
        Distillation.InputNormalization.All.FirstOrDefault(known => known.Name == Normalization);

    public override ValidationResult Validate()
    {
        if (base.Validate() is { Successful: false } failed) return failed;
        string? wrong = this switch
        {
            { IsOfDetection: true } => $"--precision {Precision}: of detection. Distill with full, tf32 or half.",
            { Steps: not null, Minutes: not null } => "Give --steps or --minutes, not both.",
            { Steps: < 1 } => $"--steps {Steps}: at least 1 is needed.",
            { Minutes: not null and not (>= ShortestMinutes and <= LongestMinutes) } =>
                $"--minutes {Minutes}: give {ShortestMinutes:0.##} (10 seconds) to {LongestMinutes}.",
            { Size: not ("S" or "M") } => $"--size {Size}: give S or M.",
            { StageNames: not [not "", not ""] } => $"--stages {Stages}: give two names with a comma between.",
            { InputNormalization: null } => $"--normalization {Normalization}: give {KnownNormalizations}.",
            { Batch: < 1 or > LargestBatch } => $"--batch {Batch}: give 1 to {LargestBatch}.",
            _ when View % 16 != 0 || View is < SmallestView or > LargestView =>
                $"--view {View}: give a multiple of 16 from {SmallestView} to {LargestView}.",
            { Views: < 1 } => $"--views {Views}: at least 1 is needed.",
            { LearningRate: not (> 0 and <= 1) } => $"--learning-rate {LearningRate}: give more than 0 and at most 1.",
            { HeldBack: < 1 } => $"--held-back {HeldBack}: at least 1 is needed.",
            { CacheGigabytes: not (>= 0 and <= LargestCache) } =>
                $"--cache-gb {CacheGigabytes}: give 0 to {LargestCache}.",
            _ => null,
        };
        return wrong is null ? ValidationResult.Success() : ValidationResult.Error(wrong);
    }

    /// <param name="arguments">The command line, for the teacher's metadata.</param>
    public DistillationOptions ToOptions(IEnumerable<string> arguments) => new()
    {
        Size = Size == "S" ? PdnSize.Small : PdnSize.Medium,
        InitialTeacher = From,
        Padded = Padded,
        Steps = Minutes is null ? Steps ?? DefaultSteps : null,
        Duration = Minutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
        BatchSize = Batch,
        ViewSize = View,
        ViewsPerImage = Views,
        LearningRate = (float)LearningRate,
        HeldBack = HeldBack,
        Seed = Seed,
        TeacherPath = Out,
        CacheFolder = Cache ?? Out + ".cache",
        CacheBudget = (long)(CacheGigabytes * 1e9),
        Command = string.Join(' ', arguments.Prepend("efficientad")),
        Licence = Licence,
        Resume = Resume,
    };

    private static string KnownNormalizations =>
        string.Join(", ", Distillation.InputNormalization.All.Select(known => known.Name));
}
