using System.ComponentModel;
using System.Globalization;
using EfficientAD.Cli.Files;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Training;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class TrainSettings : ComputeSettings
{
    private const string NoPenalty = "none", On = "on";
    private const int StepsBetweenLooks = 100;
    private const int LargestBatch = 64, LargestInput = 4096;
    private const double LongestQuickMinutes = 120;  // 70,000 steps take hours on CPUs
    private const double ShortestMinutes = 1.0 / 6, LongestMinutes = 60 * 24 * 30;
    private static readonly string[] Recipes = [.. Training.Recipe.Published.Select(recipe => recipe.Name)];
    private static readonly string[] MapOrders = [.. Enum.GetNames<MapOrder>().Select(name => name.ToLowerInvariant())];

    [CommandOption("--data <DIR>", isRequired: true)]
    [Description("A category of MVTec AD, MVTec LOCO AD or VisA, or a folder of good images.")]
    public string Data { get; init; } = "";

    [CommandOption("--out <MODEL>", isRequired: true)]
    [Description("The model file to write; checkpoints go beside it.")]
    public string Out { get; init; } = "";

    [CommandOption("--size <SIZE>")]
    [Description("S (2.7 M parameters per network) or M (8.0 M).")]
    [DefaultValue("S")]
    public string Size { get; init; } = "S";

    [CommandOption("--recipe <RECIPE>")]
    [Description(
        "reference, paper, anomalib (70,000 steps each), quick, or student-teacher (a baseline). Default: quick with " +
        "--minutes up to 120, else reference.")]
    public string? Recipe { get; init; }

    [CommandOption("--steps <N>")]
    [Description("Steps instead of the recipe's.")]
    public int? Steps { get; init; }

    [CommandOption("--minutes <T>")]
    [Description("As many steps as fit into this time, the learning rate falling accordingly.")]
    public double? Minutes { get; init; }

    [CommandOption("--penalty <DIR>")]
    [Description("Natural images for the penalty loss, or 'none' for no penalty. Default: rendered ones.")]
    public string? Penalty { get; init; }

    [CommandOption("--hard-quantile <Q>")]
    [Description("From which quantile on a difference counts in the hard-feature loss; 0: all. Default: the recipe's.")]
    public float? HardQuantile { get; init; }

    [CommandOption("--no-autoencoder")]
    [Description("Train no autoencoder: the local map alone.")]
    public bool NoAutoencoder { get; init; }

    [CommandOption("--common-scale")]
    [Description("Scale both maps alike instead of each by its own quantiles.")]
    public bool CommonScale { get; init; }

    [CommandOption("--place-weights <ON|OFF>")]
    [Description(
        "Weigh places of the local map by how well good parts are imitated there, and smooth it over 3 x 3 places: " +
        "on or off. Default: the recipe's.")]
    public string? PlaceWeights { get; init; }

    [CommandOption("--head")]
    [Description("Add a head that scores the whole image by its mean features (after PUAD).")]
    public bool Head { get; init; }

    [CommandOption("--stop-early")]
    [Description("End when the loss of good images that were set aside no longer falls.")]
    public bool StopEarly { get; init; }

    [CommandOption("--teacher <FILE>")]
    [Description(
        "A teacher: of 'efficientad distill', or any file that 'efficientad import' reads. Default: the shipped one.")]
    public string? Teacher { get; init; }

    [CommandOption("--input <PIXELS>")]
    [Description("What images are resized to for the networks: a side, or height x width such as 256x320.")]
    [DefaultValue("256")]
    public string Input { get; init; } = "256";

    [CommandOption("--resize <FIT>")]
    [Description("squash, or letterbox: keep the images' shape, in a frame. letterbox implies --map-order aligned.")]
    [DefaultValue("squash")]
    public string Resize { get; init; } = "squash";

    [CommandOption("--map-order <ORDER>")]
    [Description("Order of scaling and resizing maps: reference, paper, anomalib, aligned. Default: the recipe's.")]
    public string? MapOrder { get; init; }

    [CommandOption("--batch <N>")]
    [Description("Images per step.")]
    [DefaultValue(1)]
    public int Batch { get; init; } = 1;

    [CommandOption("--seed <N>")]
    [Description("The same seed gives the same model on the same machine.")]
    [DefaultValue(1ul)]
    public ulong Seed { get; init; } = 1;

    [CommandOption("--resume")]
    [Description("Go on from the checkpoint of an interrupted run, with the same options.")]
    public bool Resume { get; init; }

    [CommandOption("--force")]
    [Description("Replace an existing model or checkpoint.")]
    public bool Force { get; init; }

    [CommandOption("--json")]
    [Description("Write progress and result as lines of JSON.")]
    public bool Json { get; init; }

    public string CheckpointPath => Out + ".checkpoint";

    public override ValidationResult Validate() =>
        FindFault() is { } fault ? ValidationResult.Error(fault) : base.Validate();

    private string? FindFault()
    {
        if (IsOfDetection) return $"--precision {Precision}: of detection. Train with full, tf32 or half.";
        if (Steps is not null && Minutes is not null) return "Give --steps or --minutes, not both.";
        if (Steps < 1) return $"--steps {Steps}: at least 1 is needed.";
        if (Minutes is { } minutes && minutes is not (>= ShortestMinutes and <= LongestMinutes))
            return $"--minutes {Minutes}: give {ShortestMinutes:0.##} (10 seconds) to {LongestMinutes}.";
        if (Size is not ("S" or "M")) return $"--size {Size}: give S or M.";
        if (Recipe is not null && !Recipes.Contains(Recipe))
            return $"--recipe {Recipe}: give {string.Join(", ", Recipes)}.";
        if (HardQuantile is { } quantile && quantile is not (>= 0 and < 1))
            return $"--hard-quantile {HardQuantile}: give 0 to below 1.";
        if (PlaceWeights is not (null or On or "off")) return $"--place-weights {PlaceWeights}: give on or off.";
        if (MapOrder is not null && !MapOrders.Contains(MapOrder))
            return $"--map-order {MapOrder}: give {string.Join(", ", MapOrders)}.";
        if (Resize is not ("squash" or "letterbox")) return $"--resize {Resize}: give squash or letterbox.";
        if (Resize == "letterbox" && MapOrder is not (null or "aligned"))
        {
            return $"--resize letterbox needs --map-order aligned, not {MapOrder}: the others do not know where the " +
                "image lies.";
        }

        if (Batch is < 1 or > LargestBatch) return $"--batch {Batch}: give 1 to {LargestBatch}.";
        if (InputSize is null)
        {
            return $"--input {Input}: give a side, or height x width such as 256x320, " +
                $"of {PatchDescriptionNetwork.ReceptiveField} to {LargestInput} pixels.";
        }

        return null;
    }

    /// <exception cref="IOException">The penalty folder is missing or holds no images.</exception>
    public TrainingOptions ToOptions()
    {
        (int height, int width) = InputSize!.Value;
        string name = Recipe ?? (Minutes <= LongestQuickMinutes ? "quick" : "reference");
        Recipe recipe = Training.Recipe.Named(name) with { BatchSize = Batch };
        if (Penalty == NoPenalty) recipe = recipe with { Penalty = false };
        if (HardQuantile is { } quantile) recipe = recipe with { HardQuantile = quantile };
        if (NoAutoencoder) recipe = recipe with { Autoencoder = false };
        if (PlaceWeights is not null) recipe = recipe with { WeighsPlaces = PlaceWeights == On };
        if (CommonScale) recipe = recipe with { SeparateMapScales = false };
        ImageFit fit = Enum.Parse<ImageFit>(Resize, ignoreCase: true);
        if (fit == ImageFit.Letterbox) recipe = recipe with { MapOrder = Detection.MapOrder.Aligned };
        if (MapOrder is not null) recipe = recipe with { MapOrder = Enum.Parse<MapOrder>(MapOrder, ignoreCase: true) };
        return new TrainingOptions
        {
            Size = Size == "S" ? PdnSize.Small : PdnSize.Medium,
            Recipe = recipe,
            Steps = Steps,
            Duration = Minutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
            Seed = Seed,
            Fit = fit,
            InputHeight = height,
            InputWidth = width,
            TeacherPath = Teacher,
            PenaltyPaths = Penalty is null or NoPenalty ? [] : PenaltyImages(Penalty),
            ModelPath = Out,
            Resume = Resume,
            PooledHead = Head,
            EarlyStopInterval = StopEarly ? StepsBetweenLooks : 0,
            Device = Processor,
            Cpu = Cpu,
            Cuda = Cuda,
        };
    }

    private static string[] PenaltyImages(string folder) => Directory.Exists(folder)
        ? [.. ImagePaths.Expand([folder]).Select(image => image.Path)]
        : throw new DirectoryNotFoundException($"The folder {folder} (--penalty) does not exist.");

    /// <summary>Null where the text is no such size.</summary>
    private (int Height, int Width)? InputSize => Input.Split('x') switch
    {
        [var side] when Side(side) is { } both => (both, both),
        [var height, var width] when Side(height) is { } h && Side(width) is { } w => (h, w),
        _ => null,
    };

    private static int? Side(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int side)
        && side is >= PatchDescriptionNetwork.ReceptiveField and <= LargestInput
            ? side
            : null;
}
