using EfficientAD.Cli;
using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Networks;
using PtxSimulator.Reports;
using Spectre.Console;

namespace EfficientAD.Tests.Cli;

[Collection("Cli")]
public class AblateTests
{
    private const int Input = 40;

    private static readonly Card Card = Card.Find("a6000")!;

    [Fact]
    public void PlanWithoutAFusion_IsCountedBesideTheFusedOne()
    {
        AblationVariant[] variants =
        [
            .. AblationVariant.All.Where(variant =>
                variant.Key is "fused" or "preprocess" or "difference" or "verdict"),
        ];
        AblationRow[] rows = [.. variants.Select(variant => AblationRow.Count(variant, PdnSize.Small, Input, Card))];
        Assert.Equal([15, 20, 19, 21], rows.Select(row => row.Counted.Launches.Count));
        // Of two branches the longer one counts.
        Assert.All(rows, row => Assert.InRange(
            row.PredictedMicroseconds, 1, row.Counted.Predict(Card).Microseconds - PredictedTime.LaunchMicroseconds));

        var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text) });
        AblationTable.Write(new CommandOutput(console, console), "One detection", rows, Card);
        Assert.Contains("no GPU took part. Times are predicted", text.ToString());
        Assert.Contains("features in memory", text.ToString());
    }

    [Theory]
    [InlineData("--size", "L")]
    [InlineData("--input", "32")]
    [InlineData("--card", "voodoo")]
    public async Task WrongValue_IsRefused(string option, string value)
    {
        CliRun run = await CliRun.RunAsync("ablate", option, value);
        Assert.Equal(ExitCode.Usage, run.Code);
        Assert.Contains($"{option} {value}", run.Error);
    }
}
