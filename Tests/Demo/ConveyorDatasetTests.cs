using EfficientAD.Cli.Demo;
using EfficientAD.Data;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Demo;

public class ConveyorDatasetTests
{
    private static readonly ConveyorCounts Counts = new(Train: 3, TestGood: 2, PerDefect: 1);

    [Fact]
    public void Render_WritesAnMvtecDataset()
    {
        using var folder = new TemporaryFolder();
        Render(folder.Path, 1, threads: 2);

        var dataset = DatasetReader.Open(folder.Path);
        Assert.Equal(DatasetLayout.MvtecAd, dataset.Layout);
        Assert.Equal(3, dataset.Train.Count);
        Assert.Equal(2, dataset.Test.Count(sample => sample.IsGood));
        string[] defects = ["chip", "doubled", "misplaced", "missing", "scratch", "stain"];
        Assert.Equal(defects, dataset.Test.Where(sample => !sample.IsGood).Select(sample => sample.Defect).Order());
        Assert.All(dataset.Test, sample => Assert.Equal(sample.IsGood ? 0 : 1, sample.MaskPaths.Count));
    }

    [Fact]
    public void Render_GivesTheSameFilesForAnyNumberOfThreads()
    {
        using TemporaryFolder one = new(), three = new();
        Render(one.Path, 5, threads: 1);
        Render(three.Path, 5, threads: 3);
        Assert.Equal(Files(one.Path), Files(three.Path));
    }

    [Fact]
    public void Render_ReportsEveryImage()
    {
        using var folder = new TemporaryFolder();
        var progress = new Recorder();
        var cancellation = TestContext.Current.CancellationToken;
        ConveyorDataset.Render(Path.Combine(folder.Path, "new"), 1, Counts, threads: 2, progress, cancellation);
        Assert.Equal(Enumerable.Range(1, Counts.Total), progress.Values.Order());
    }

    [Fact]
    public void Render_CompletesWhatWasCancelled()
    {
        using TemporaryFolder folder = new(), whole = new();
        using var cancellation = new CancellationTokenSource();
        var progress = new Recorder { OnReport = cancellation.Cancel };
        Assert.Throws<OperationCanceledException>(
            () => ConveyorDataset.Render(folder.Path, 1, Counts, threads: 1, progress, cancellation.Token));
        Assert.True(progress.Values.Count < Counts.Total);

        Render(folder.Path, 1, threads: 2);
        Render(whole.Path, 1, threads: 2);
        Assert.Equal(Files(whole.Path), Files(folder.Path));
    }

    [Fact]
    public void Render_LeavesForeignFoldersAlone()
    {
        using var folder = new TemporaryFolder();
        folder.Write("holiday.png", [1, 2, 3]);
        var error = Assert.Throws<IOException>(() => Render(folder.Path, 1, threads: 1));
        Assert.Contains("is not empty", error.Message, StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Render_NeverMixesTwoDatasets()
    {
        using var folder = new TemporaryFolder();
        Render(folder.Path, 1, threads: 2);
        var error = Assert.Throws<IOException>(() => Render(folder.Path, 2, threads: 2));
        Assert.Contains("seed 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("seed 2", error.Message, StringComparison.Ordinal);
    }

    private static void Render(string folder, ulong seed, int threads) =>
        ConveyorDataset.Render(folder, seed, Counts, threads, progress: null, TestContext.Current.CancellationToken);

    /// <summary>Relative path and content of every file.</summary>
    private static IEnumerable<(string Path, string Content)> Files(string folder) =>
        Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => (Path.GetRelativePath(folder, path), Convert.ToBase64String(File.ReadAllBytes(path))));

    private sealed class Recorder : IProgress<int>
    {
        public List<int> Values { get; } = [];

        public Action? OnReport { get; init; }

        public void Report(int value)
        {
            lock (Values) Values.Add(value);
            OnReport?.Invoke();
        }
    }
}
