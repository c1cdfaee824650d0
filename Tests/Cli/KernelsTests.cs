using System.Text.Json;
using EfficientAD.Cli.Output;
using PtxSimulator.Counting;
using PtxSimulator.Reports;
using Spectre.Console;

namespace EfficientAD.Tests.Cli;

[Collection("Cli")]
public class KernelsTests(TrainedModel trained)
{
    [Fact]
    public async Task List_NamesEveryKernelWithItsRegisters()
    {
        CliRun text = await CliRun.RunAsync("kernels"), json = await CliRun.RunAsync("kernels", "--json");
        Assert.Equal((0, 0), (text.Code, json.Code));
        JsonElement[] kernels = [.. json.Json.GetProperty("kernels").EnumerateArray()];
        Assert.Contains(kernels, kernel => kernel.GetProperty("kernel").GetString() == "adam");
        Assert.All(kernels, kernel =>
        {
            Assert.Contains(text.Lines, line => line.Split(' ')[0] == kernel.GetProperty("kernel").GetString());
            Assert.InRange(kernel.GetProperty("registers").GetInt32(), 1, 255);
        });
    }

    /// <summary>Whatever the model's input, the autoencoder sees 256 pixels.</summary>
    [Fact]
    public async Task Detection_IsCountedKernelByKernel()
    {
        CliRun run = await CliRun.RunAsync("kernels", "--model", trained.Model, "--card", "h100", "--json");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.True(run.Json.GetProperty("simulated").GetBoolean());
        Assert.StartsWith(
            "plate.safetensors (EfficientAD-S), one detection at 64 x 64", run.Json.GetProperty("run").GetString());
        JsonElement total = run.Json.GetProperty("total");
        JsonElement[] kernels = [.. run.Json.GetProperty("kernels").EnumerateArray()];
        foreach (string sum in (string[])["launches", "warp_instructions", "fma_multiply_adds", "moved_bytes"])
        {
            Assert.NotEqual(0, total.GetProperty(sum).GetInt64());
            Assert.Equal(total.GetProperty(sum).GetInt64(), kernels.Sum(kernel => kernel.GetProperty(sum).GetInt64()));
        }

        Assert.All(kernels, kernel => Assert.InRange(kernel.GetProperty("occupancy").GetDouble(), 0.01, 1));
    }

    [Fact]
    public void Text_SaysThatItIsSimulatedAndPredicted()
    {
        var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text) });
        var launch = new LaunchSummary(
            new LaunchReport { Kernel = "k", Grid = new(1), Block = new(32), SharedBytes = 0 });
        NetworkTable.Write(
            new CommandOutput(console, console), "One detection", new NetworkReport([launch]),
            KernelResourceTable.Empty, Card.Find("h100")!);
        string[] lines = text.ToString().Split('\n');
        Assert.Contains("on a simulated NVIDIA H100 SXM", lines[0]);
        Assert.Contains("no GPU took part. Times are predicted", lines[1]);
        Assert.Contains(lines, line => line.StartsWith("k ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("all ", StringComparison.Ordinal));
    }
}
