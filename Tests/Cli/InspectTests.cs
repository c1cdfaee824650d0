using System.Text.Json;
using EfficientAD.Cli;
using EfficientAD.Imaging;

namespace EfficientAD.Tests.Cli;

[Collection("Cli")]
public class InspectTests(TrainedModel trained)
{
    [Fact]
    public async Task Json_AccountsForEveryFrame()
    {
        // 0.5 s at 40 a second: frames 0 to 19 of both cameras.
        CliRun run = await RunAsync(
            "--fps", "40", "--cameras", "2", "--seconds", "0.5", "--when-full", "wait", "--json");
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        JsonElement json = run.Json;
        Assert.Equal(40, json.GetProperty("pushed").GetInt32());
        int[] fates =
            [.. new[] { "good", "anomalous", "invalid", "dropped" }.Select(name => json.GetProperty(name).GetInt32())];
        Assert.Equal(40, fates.Sum());
        Assert.Equal(
            [20, 20],
            json.GetProperty("cameras").EnumerateArray().Select(camera => camera.GetProperty("pushed").GetInt32()));
        foreach (string part in new[] { "total", "wait", "preprocess", "compute", "download" })
        {
            JsonElement row = json.GetProperty(part);
            string[] names = ["p50_ms", "p99_ms", "p999_ms", "max_ms"];
            double[] quantiles = [.. names.Select(name => row.GetProperty(name).GetDouble())];
            Assert.Equal(quantiles.Order(), quantiles);
        }

        Assert.True(json.GetProperty("compute").GetProperty("p50_ms").GetDouble() > 0);
    }

    [Fact]
    public async Task Text_ShowsDropsDeadlinesAndWhereTimeGoes()
    {
        // A deadline that nothing meets, and more frames than can be judged.
        CliRun run = await RunAsync(
            "--fps", "5000", "--seconds", "0.1", "--queue", "1", "--deadline", "0.0001", "--maps");
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        Assert.All(
            ["judged", "dropped", "late", "p99.9", "total", "wait", "preprocess", "compute", "download"],
            name => Assert.Contains(name, run.Output));
        Assert.Contains("of 500, queue of 1, drop-oldest", run.Output);
    }

    [Fact]
    public async Task FramesOfTwoSizes_AreRefused()
    {
        string folder = Directory.CreateDirectory(trained.New("sizes")).FullName;
        ImageWriter.WritePng(Path.Combine(folder, "a.png"), new RgbImage(40, 30));
        ImageWriter.WritePng(Path.Combine(folder, "b.png"), new RgbImage(30, 40));
        CliRun run = await CliRun.RunAsync("inspect", "--model", trained.Model, "--frames", folder);
        Assert.Equal(ExitCode.Failure, run.Code);
        Assert.Contains("b.png is 30 x 40 but the first image 40 x 30.", run.Error);
    }

    private Task<CliRun> RunAsync(params string[] more) => CliRun.RunAsync(
    [
        "inspect", "--model", trained.Model, "--frames", trained.TestImages, "--threads", "1", "--device", "cpu",
        .. more,
    ]);
}
