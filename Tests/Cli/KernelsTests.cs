using System.Text.Json;
using EfficientAD.Cli;

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

    /// <summary>The smallest input; the autoencoder sees 256 pixels all the same.</summary>
    [Fact]
    public async Task Detection_IsCountedKernelByKernel()
    {
        CliRun run = await CliRun.RunAsync("kernels", "--size", "S", "--input", "33", "--json");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.True(run.Json.GetProperty("simulated").GetBoolean());
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
    public async Task Text_SaysThatItIsSimulatedAndPredicted()
    {
        CliRun run = await CliRun.RunAsync("kernels", "--model", trained.Model, "--card", "h100");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("one detection", run.Lines[0]);
        Assert.Contains("simulated NVIDIA H100 SXM", run.Lines[0]);
        Assert.Contains("predicted", run.Lines[1]);
        Assert.Contains(run.Lines, line => line.StartsWith("all ", StringComparison.Ordinal));
    }
}
