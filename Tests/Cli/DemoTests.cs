using EfficientAD.Cli;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Cli;

public sealed class DemoTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task FolderOfTheUsers_IsNotTouched()
    {
        string file = _folder.Write("thesis.txt", [1, 2, 3]);
        CliRun run = await CliRun.RunAsync("demo", "--out", _folder.Path);
        Assert.Equal((ExitCode.Failure, ""), (run.Code, run.Output));
        Assert.Contains("thesis.txt", run.Error);
        Assert.Equal(file, Assert.Single(Directory.GetFileSystemEntries(_folder.Path)));
    }

    [Fact]
    public async Task Interruption_WhileRendering_EndsTheDemo()
    {
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        string folder = Path.Combine(_folder.Path, "demo");
        CliRun run = await CliRun.RunAsync(["demo", "--out", folder], new StringWriter(), stopped.Token);
        Assert.Equal(ExitCode.Cancelled, run.Code);
        Assert.False(File.Exists(Path.Combine(folder, "conveyor.safetensors")));
    }

    public void Dispose() => _folder.Dispose();
}
