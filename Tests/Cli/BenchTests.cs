using System.Text.Json;
using EfficientAD.Cli;

namespace EfficientAD.Tests.Cli;

[Collection("Cli")]
public class BenchTests(TrainedModel trained)
{
    [Theory, InlineData("fast", "1"), InlineData("precise", "2"), InlineData("plain", "1")]
    public async Task Json_HoldsQuantilesInOrder(string mode, string batch)
    {
        CliRun run = await CliRun.RunAsync(
            "bench", "--model", trained.Model, "--frames", "5", "--mode", mode, "--batch", batch, "--threads", "2",
            "--device", "cpu", "--json");
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        JsonElement json = run.Json;
        double[] quantiles =
            [.. new[] { "p50_ms", "p90_ms", "p99_ms", "p999_ms" }.Select(name => json.GetProperty(name).GetDouble())];
        Assert.Equal(quantiles.Order(), quantiles);
        Assert.True(quantiles[0] > 0);
        double mean = json.GetProperty("mean_ms").GetDouble();
        Assert.Equal(1000 * int.Parse(batch) / mean, json.GetProperty("images_per_second").GetDouble(), 6);
        Assert.Equal(5, json.GetProperty("frames").GetInt32());
        Assert.StartsWith("CPU, 2 threads", json.GetProperty("processor").GetString(), StringComparison.Ordinal);
        Assert.Equal(mode, json.GetProperty("mode").GetString());
    }

    [Fact]
    public async Task Text_NamesTheQuantiles()
    {
        CliRun run = await CliRun.RunAsync("bench", "--model", trained.Model, "--frames", "3", "--threads", "1");
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        Assert.All(["p50", "p90", "p99", "p99.9", "mean", "images/s"], name => Assert.Contains(name, run.Output));
    }
}
