using System.Globalization;
using EfficientAD.Imaging;

namespace EfficientAD.Cli.Demo;

/// <summary>How many images of each sort a <see cref="ConveyorDataset"/> has.</summary>
/// <param name="Train">Good images to train on.</param>
/// <param name="TestGood">Good images to test with.</param>
/// <param name="PerDefect">Images of each of the six kinds of defects.</param>
internal sealed record ConveyorCounts(int Train = 120, int TestGood = 40, int PerDefect = 12)
{
    public int Total => Train + TestGood + PerDefect * ConveyorDataset.Defects.Count;
}

/// <summary>A synthetic inspection data set in MVTec AD's layout: a control module on a conveyor belt.</summary>
internal static class ConveyorDataset
{
    private const string MarkerFile = "conveyor.txt";
    private const int Version = 1;  // of the scene: raise it whenever a pixel changes

    /// <summary>Names of the kinds of defects, which are the names of their folders.</summary>
    public static IReadOnlyList<string> Defects { get; } =
        Array.ConvertAll(Enum.GetNames<DefectKind>(), name => name.ToLowerInvariant());

    /// <summary>Which kinds show in a patch of the part, and which only in how patches lie to each other, by
    /// kind.</summary>
    public static IReadOnlyDictionary<string, string> Groups { get; } = Enum.GetValues<DefectKind>().ToDictionary(
        kind => Defects[(int)kind], kind => kind < DefectKind.Missing ? "structural" : "logical");

    /// <summary>Writes train/good, test/good, test/DEFECT and ground_truth/DEFECT/NNN_mask.png.</summary>
    /// <param name="folder">Made if need be. If it holds the same data set already, it is written again.</param>
    /// <param name="seed">The same seed gives the same pixels on every machine and for any number of threads.</param>
    /// <param name="threads">How many images are rendered at the same time.</param>
    /// <param name="progress">Told the number of images finished, of <see cref="ConveyorCounts.Total"/>.</param>
    /// <exception cref="IOException">The folder holds something else, or can't be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the next call completes the folder.</exception>
    public static void Render(
        string folder, ulong seed, ConveyorCounts counts, int threads, IProgress<int>? progress,
        CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        string sizes = $"{counts.Train} + {counts.TestGood} + {Defects.Count} x {counts.PerDefect} images";
        Claim(folder, $"conveyor {Version}, seed {seed}, {sizes}\n");

        var jobs = Jobs(counts).ToArray();
        foreach (var job in jobs) Directory.CreateDirectory(Path.Combine(folder, job.Folder));
        foreach (string defect in Defects) Directory.CreateDirectory(Path.Combine(folder, "ground_truth", defect));
        int finished = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        Parallel.ForEach(jobs, options, job =>
        {
            job.Write(folder, seed);
            progress?.Report(Interlocked.Increment(ref finished));
        });
    }

    /// <summary>Each sort has its own scene numbers, so that more of one leaves the others as they are.</summary>
    private static IEnumerable<Job> Jobs(ConveyorCounts counts)
    {
        const int Block = 1_000_000;
        for (int i = 0; i < counts.Train; i++) yield return new Job("train/good", i, i, null, 0);
        for (int i = 0; i < counts.TestGood; i++) yield return new Job("test/good", i, Block + i, null, 0);
        foreach (var kind in Enum.GetValues<DefectKind>())
            for (int i = 0; i < counts.PerDefect; i++)
            {
                float severity = (i + 0.5f) / counts.PerDefect;
                yield return new Job($"test/{Defects[(int)kind]}", i, (2 + (int)kind) * Block + i, kind, severity);
            }
    }

    /// <summary>Nothing of the user's is ever mixed with the data set, nor an older data set with this one.</summary>
    private static void Claim(string folder, string description)
    {
        string marker = Path.Combine(folder, MarkerFile);
        if (File.Exists(marker) && File.ReadAllText(marker) is var found && found != description)
            throw new IOException($"{folder} holds another data set ({found.Trim()}), not {description.Trim()}. "
                + "Delete it or choose another folder.");
        if (!File.Exists(marker) && Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new IOException($"{folder} is not empty and holds no {MarkerFile}. Choose a new folder.");
        Directory.CreateDirectory(folder);
        File.WriteAllText(marker, description);
    }

    private sealed record Job(string Folder, int Number, int Scene, DefectKind? Kind, float Severity)
    {
        public void Write(string root, ulong seed)
        {
            var scene = new ConveyorScene(seed, Scene);
            var (image, mask) = scene.Render(Kind is { } kind ? scene.DrawDefect(kind, Severity) : null);
            string name = Number.ToString("D3", CultureInfo.InvariantCulture);
            ImageWriter.WritePng(Path.Combine(root, Folder, name + ".png"), image);
            if (Kind is null) return;
            string masks = Path.Combine(root, "ground_truth", Defects[(int)Kind]);
            ImageWriter.WritePng(Path.Combine(masks, name + "_mask.png"), mask);
        }
    }
}
