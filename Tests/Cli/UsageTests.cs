using EfficientAD.Cli;

namespace EfficientAD.Tests.Cli;

/// <summary>Wrong command lines end with code 2 and a line that says what can stand.</summary>
public class UsageTests
{
    public static TheoryData<string, string> WrongLines => new()
    {
        { "paint", "Unknown command 'paint'" },
        { "train --out m", "missing required option 'data'" },
        { "train --data d", "missing required option 'out'" },
        { "train --data d --out m --colour red", "Unknown option 'colour'" },
        { "train --data d --out m --steps many", "'many' is not a number" },
        { "train --data d --out m --steps 0", "--steps 0: at least 1" },
        { "train --data d --out m --steps 5 --minutes 5", "not both" },
        { "train --data d --out m --minutes 0.01", "10 seconds" },
        { "train --data d --out m --minutes NaN", "10 seconds" },
        { "train --data d --out m --size L", "give S or M" },
        { "train --data d --out m --size L", "give S or M" },
        { "train --data d --out m --recipe soup", "give reference, paper, anomalib, quick" },
        { "train --data d --out m --map-order 2", "give reference, paper, anomalib, aligned" },
        { "train --data d --out m --hard-quantile 1", "give 0 to below 1" },
        { "train --data d --out m --resize crop", "give squash or letterbox" },
        { "train --data d --out m --resize letterbox --map-order paper", "needs --map-order aligned, not paper" },
        { "train --data d --out m --input 32", "33 to 4096" },
        { "train --data d --out m --input 64x", "33 to 4096" },
        { "train --data d --out m --input 64x64x64", "33 to 4096" },
        { "train --data d --out m --batch 0", "give 1 to 64" },
        { "train --data d --out m --threads -1", "give 1 to 1024" },
        { "train --data d --out m --device gpu", "--device gpu: unknown" },
        { "train --data d --out m --precision double", "--precision double: give full, tf32, half" },
        { "evaluate --model m --data d", "missing required option 'out'" },
        { "evaluate --model m --data d --out o --tile 10", "give 64 to 4096" },
        { "predict --model m", "missing required argument 'IMAGES'" },
        { "predict --model m a.png --threshold NaN", "finite" },
        { "distill --images d", "missing required option 'backbone'" },
        { "distill --backbone b --images d --view 100", "a multiple of 16" },
        { "distill --backbone b --images d --stages layer2", "two names" },
        { "distill --backbone b --images d --normalization rgb", "give imagenet, caffe, unit" },
        { "distill --backbone b --images d --steps 5 --minutes 5", "not both" },
        { "distill --backbone b --images d --learning-rate NaN", "more than 0" },
        { "inspect --model m", "missing required option 'frames'" },
        { "inspect --model m --frames f --fps 0", "give 0.01 to 100000" },
        { "inspect --model m --frames f --cameras 0", "give 1 to 64" },
        { "inspect --model m --frames f --seconds NaN", "more than 0" },
        { "inspect --model m --frames f --queue 0", "give 1 to 1024" },
        { "inspect --model m --frames f --when-full hope", "give drop-oldest, drop-newest, wait" },
        { "inspect --model m --frames f --deadline -1", "more than 0" },
        { "bench --model m --batch 0", "give 1 to 1024" },
        { "bench --model m --frames 0", "give 1 to 1000000" },
        { "bench --model m --mode quick", "give fast, precise or plain" },
        { "export --model m", "missing required option 'onnx'" },
        { "export --model m --onnx o --input jpeg", "give rgb or normalized" },
        { "info", "missing required argument 'FILE'" },
        { "kernels --model m --size S", "not both" },
        { "kernels --size L", "give S or M" },
        { "kernels --size S --input 32", "33 to 4096" },
        { "kernels --model m --input 64", "goes with --size" },
        { "kernels --training", "give --model or --size" },
        { "calibrate --model m --data d --out o --precision int8", "Calibrate with full, tf32 or half" },
        { "kernels --size S --precision double", "give full, tf32, half" },
        { "kernels --card voodoo", "give h100, a6000, rtx4090, orin" },
    };

    [Theory, MemberData(nameof(WrongLines))]
    public async Task WrongLine_IsRefused(string line, string expected)
    {
        CliRun run = await CliRun.RunAsync(line.Split(' '));
        Assert.Equal(ExitCode.Usage, run.Code);
        Assert.Contains(expected, run.Error);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.Equal("", run.Output);
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("train")]
    [InlineData("evaluate")]
    [InlineData("predict")]
    [InlineData("distill")]
    [InlineData("inspect")]
    [InlineData("bench")]
    [InlineData("export")]
    [InlineData("info")]
    [InlineData("devices")]
    [InlineData("kernels")]
    [InlineData("ablate")]
    public async Task Help_HasDescriptionExamplesAndExitCodes(string command)
    {
        CliRun run = await CliRun.RunAsync(command, "--help");
        Assert.Equal(ExitCode.Success, run.Code);
        string[] parts = ["DESCRIPTION:", "EXAMPLES:", $"efficientad {command}", "OPTIONS:", "EXIT CODES:"];
        Assert.All(parts, part => Assert.Contains(part, run.Output));
        Assert.All(run.Lines, line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public async Task Help_ListsEveryCommand()
    {
        CliRun run = await CliRun.RunAsync("--help");
        string[] firstWords = [.. run.Lines.Select(line => line.Split(' ')[0])];
        Assert.All(CommandLine.Commands, command => Assert.Contains(command, firstWords));
    }

    [Theory]
    [InlineData("train --data d --out m --device cuda:99")]
    [InlineData("evaluate --model m --data . --out o --device cuda:99")]
    [InlineData("predict --model m a.png --device cuda:99")]
    public async Task CudaDeviceThatIsNotThere_IsRefusedBeforeAnythingIsRead(string line)
    {
        CliRun run = await CliRun.RunAsync(line.Split(' '));
        Assert.Equal(ExitCode.Failure, run.Code);
        Assert.Contains("--device cuda:99: ", run.Error);
    }

    [Fact]
    public async Task Verbose_ShowsWhereTheErrorArose()
    {
        CliRun quiet = await CliRun.RunAsync("info", "/nowhere/m");
        CliRun verbose = await CliRun.RunAsync("info", "/nowhere/m", "--verbose");
        Assert.DoesNotContain("   at ", quiet.Error);
        Assert.Contains("   at EfficientAD.", verbose.Error);
        Assert.Equal((ExitCode.Failure, ExitCode.Failure), (quiet.Code, verbose.Code));
    }

    [Fact]
    public async Task Devices_AreListedForPeopleAndPrograms()
    {
        CliRun text = await CliRun.RunAsync("devices"), json = await CliRun.RunAsync("devices", "--json");
        Assert.Equal((0, 0), (text.Code, json.Code));
        Assert.Contains("logical cores", text.Output);
        Assert.Equal(Environment.ProcessorCount, json.Json.GetProperty("cpu").GetProperty("cores").GetInt32());
        bool hasReason = json.Json.GetProperty("cuda_unavailable").GetString() is not null;
        Assert.Equal(json.Json.GetProperty("cuda").GetArrayLength() == 0, hasReason);
        string auto = json.Json.GetProperty("auto").GetString()!;
        Assert.Contains($"takes {auto}", text.Output);
        if (hasReason) Assert.Equal("cpu", auto);
    }
}
