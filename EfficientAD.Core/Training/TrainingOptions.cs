using System.Security.Cryptography;
using System.Text;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using static System.FormattableString;

namespace EfficientAD.Training;

/// <summary>What a training run is asked to do.</summary>
public sealed record TrainingOptions
{
    public PdnSize Size { get; init; } = PdnSize.Small;

    public Recipe Recipe { get; init; } = Recipe.Reference;

    /// <summary>Steps instead of the recipe's number; null leaves it.</summary>
    public int? Steps { get; init; }

    /// <summary>Time for the whole run, statistics and quantiles included; the first steps are timed and the number of
    /// steps is fixed from them. Excludes <see cref="Steps"/>.</summary>
    public TimeSpan? Duration { get; init; }

    public ulong Seed { get; init; } = 1;

    /// <summary>Height of the networks' input in pixels; at least 33.</summary>
    public int InputHeight { get; init; } = 256;

    /// <summary>Width of the networks' input in pixels; at least 33.</summary>
    public int InputWidth { get; init; } = 256;

    /// <summary>How images become the networks' input. <see cref="ImageFit.Letterbox"/> needs the map order
    /// <see cref="MapOrder.Aligned"/>.</summary>
    public ImageFit Fit { get; init; }

    /// <summary>A teacher's file; null takes the shipped one.</summary>
    public string? TeacherPath { get; init; }

    /// <summary>Natural images for the penalty; empty renders some.</summary>
    public IReadOnlyList<string> PenaltyPaths { get; init; } = [];

    /// <summary>The model file to write; checkpoints go beside it, with ".checkpoint" behind the name.</summary>
    public required string ModelPath { get; init; }

    /// <summary>Goes on from the checkpoint of an interrupted run with the same options.</summary>
    public bool Resume { get; init; }

    /// <summary>Time between checkpoints.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Bytes for cached teacher features and decoded images, each; null takes an eighth of the
    /// memory.</summary>
    public long? CacheBudget { get; init; }

    /// <summary>Steps between two looks at the loss of held-back good images, a twentieth of the run at most; the run
    /// ends when that no longer falls. 0 takes all steps.</summary>
    public int EarlyStopInterval { get; init; }

    /// <summary>Adds a head that scores the whole image by the mean of the student's features over it (after
    /// PUAD).</summary>
    public bool PooledHead { get; init; }

    /// <summary>Share of good images that the threshold may let fail.</summary>
    public float FalsePositiveRate { get; init; } = Calibration.DefaultFalsePositiveRate;

    /// <summary>The processor that computes.</summary>
    public Device Device { get; init; }

    /// <summary>Used where the CPU computes.</summary>
    public CpuOptions Cpu { get; init; } = new();

    /// <summary>Used where a CUDA device computes.</summary>
    public CudaOptions Cuda { get; init; } = new();

    internal const string PlacesWeighed = "places of the local map weighed";
    internal const string PlacesAlike = "all places of the local map alike";
    private const string Rendering = "dead leaves, near and out of focus";

    internal int TargetSteps => Steps ?? Recipe.Steps;

    internal long ResolveCacheBudget() => CacheBudget ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8;

    internal string CheckpointPath => ModelPath + ".checkpoint";

    /// <exception cref="ArgumentException">An option is out of range, or two contradict each other.</exception>
    internal void Validate()
    {
        if (Steps is not null && Duration is not null)
            throw new ArgumentException("A run has either a number of steps or a duration, not both.");
        if (Steps < 1) throw new ArgumentException($"A run has at least 1 step, not {Steps}.");
        if (Duration < TimeSpan.FromSeconds(10))
            throw new ArgumentException($"A run takes at least 10 seconds, not {Duration}.");
        foreach (int size in new[] { InputHeight, InputWidth })
        {
            if (size is < PatchDescriptionNetwork.ReceptiveField or > 4096)
                throw new ArgumentException(
                    $"The input is {InputHeight} x {InputWidth}; each side must lie between " +
                    $"{PatchDescriptionNetwork.ReceptiveField} and 4096 pixels.");
        }

        if (Recipe.HardQuantile is not (>= 0 and < 1))
            throw new ArgumentException(
                $"The hard-feature loss's quantile lies from 0 to below 1, not at {Recipe.HardQuantile}.");
        if (EarlyStopInterval < 0)
            throw new ArgumentException($"Steps between two looks are 0 or more, not {EarlyStopInterval}.");
        if (Fit == ImageFit.Letterbox && Recipe.MapOrder != MapOrder.Aligned)
        {
            throw new ArgumentException(
                $"A letterbox needs the map order aligned, not {Name(Recipe.MapOrder)}: the others do not know where " +
                "the image lies.");
        }

        if (Resume && !File.Exists(CheckpointPath))
            throw new ArgumentException(
                $"There is nothing to resume: {CheckpointPath} does not exist. Start without --resume.");
    }

    /// <summary>What decides the outcome, in one line.</summary>
    internal string Describe()
    {
        string length = Duration is { } duration
            ? Invariant($"{duration.TotalMinutes:0.##} minutes")
            : $"{TargetSteps} steps";
        return $"{Size}, {Recipe.Describe()}, {length}, seed {Seed}, input {InputHeight} x {InputWidth}" +
            (Fit == ImageFit.Squash ? "" : ", letterbox") +
            (EarlyStopInterval > 0 ? $", early stop every {EarlyStopInterval}" : "") +
            (PooledHead ? ", head" : "") +
            $", penalty {(Recipe.Penalty && PenaltyPaths.Count > 0 ? HashOf(PenaltyPaths) : DescribePenalty())}";
    }

    /// <summary>Of the names alone: there may be a million of them.</summary>
    private static string HashOf(IReadOnlyList<string> paths)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string path in paths) hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(path)}\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..8];
    }

    /// <summary>Which images the penalty uses, in words.</summary>
    public string DescribePenalty() => !Recipe.Penalty ? "none"
        : PenaltyPaths.Count > 0 ? $"{PenaltyPaths.Count} natural images"
        : $"rendered images ({Rendering})";

    /// <summary>What differs from the recipe, in words; empty where nothing does.</summary>
    /// <param name="steps">Steps really taken, where they are known.</param>
    public string DescribeDeviations(int? steps = null)
    {
        var deviations = new List<string>();
        int? taken = steps ?? Steps;
        if (taken is { } count && count != Recipe.Steps) deviations.Add($"{count} steps instead of {Recipe.Steps}");
        else if (taken is null && Duration is { } duration)
            deviations.Add($"as many steps as {duration.TotalMinutes:0.##} minutes allow instead of {Recipe.Steps}");
        if (Recipe.Penalty && PenaltyPaths.Count == 0)
            deviations.Add($"rendered penalty images ({Rendering}) instead of ImageNet's");
        if (InputHeight != 256 || InputWidth != 256)
            deviations.Add($"input {InputHeight} x {InputWidth} instead of 256 x 256");
        if (Fit == ImageFit.Letterbox)
            deviations.Add("images keep their shape in a frame (letterbox) instead of being squashed");
        if (EarlyStopInterval > 0) deviations.Add("ends when the loss of held-back good images no longer falls");
        if (PooledHead) deviations.Add("a head on pooled features adds to the score (PUAD)");
        deviations.AddRange(RecipeChanges());
        return string.Join("; ", deviations);
    }

    /// <summary>What differs from the recipe of the same name, in words.</summary>
    private IEnumerable<string> RecipeChanges()
    {
        Recipe published = Recipe.Published.FirstOrDefault(recipe => recipe.Name == Recipe.Name) ?? Recipe;
        if (Recipe.BatchSize != published.BatchSize)
            yield return $"batch {Recipe.BatchSize} instead of {published.BatchSize}";
        if (Recipe.HardQuantile != published.HardQuantile)
            yield return Invariant($"hard quantile {Recipe.HardQuantile} instead of {published.HardQuantile}");
        if (Recipe.LearningRate != published.LearningRate)
            yield return Invariant($"learning rate {Recipe.LearningRate} instead of {published.LearningRate}");
        if (Recipe.Penalty != published.Penalty)
            yield return Recipe.Penalty ? "with the penalty" : "without the penalty";
        if (Recipe.Autoencoder != published.Autoencoder)
            yield return Recipe.Autoencoder ? "with an autoencoder" : "without the autoencoder";
        if (Recipe.SeparateMapScales != published.SeparateMapScales)
            yield return Recipe.SeparateMapScales ? "a scale for each map" : "one scale for both maps";
        if (Recipe.WeighsPlaces != published.WeighsPlaces)
            yield return Recipe.WeighsPlaces ? PlacesWeighed : PlacesAlike;
        if (Recipe.MapOrder != published.MapOrder)
            yield return $"map order {Name(Recipe.MapOrder)} instead of {Name(published.MapOrder)}";
    }

    private static string Name(MapOrder order) => order.ToString().ToLowerInvariant();
}
