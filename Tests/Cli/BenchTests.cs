using System.Text.Json;
using EfficientAD.Cli;
using EfficientAD.Cli.Runs;

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
        Assert.Equal(JsonValueKind.Null, json.GetProperty("missed_deadlines").ValueKind);
    }

    [Theory, InlineData("1e4", 5), InlineData("0.5", 0)]
    public async Task Paced_CountsCallsThatAreLate(string pace, int missed)
    {
        // A call takes longer than 0.1 ms and ends within 2 s.
        CliRun run = await CliRun.RunAsync(
            "bench", "--model", trained.Model, "--frames", missed == 0 ? "2" : "5", "--paced", pace, "--device", "cpu",
            "--json");
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        Assert.Equal(missed, run.Json.GetProperty("missed_deadlines").GetInt32());
        Assert.True(run.Json.GetProperty("images_per_second").GetDouble() <= double.Parse(pace));
    }

    [Fact]
    public void Latencies_OfKnownTimes()
    {
        var latencies = new Latencies([3, 1, 2, 10], batch: 2, pace: 250);
        Assert.Equal(
            (4, 2, 10, 4), (latencies.Mean, latencies.Quantile(0.5), latencies.Quantile(0.99), latencies.Count));
        Assert.Equal((2 + 1 + 8) / 3.0, latencies.Jitter, 12);
        Assert.Equal(1, latencies.MissedDeadlines);
        Assert.Equal(500, latencies.ImagesPerSecond);
        Assert.Equal(500, new Latencies([4], batch: 2, pace: null).ImagesPerSecond);
    }

    [Fact]
    public async Task Text_NamesTheQuantiles()
    {
        CliRun run = await CliRun.RunAsync("bench", "--model", trained.Model, "--frames", "3", "--threads", "1");
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        Assert.All(["p50", "p90", "p99", "p99.9", "mean", "images/s"], name => Assert.Contains(name, run.Output));
    }
}
