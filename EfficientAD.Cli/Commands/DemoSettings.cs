using System.ComponentModel;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class DemoSettings : ComputeSettings
{
    private const double ShortestMinutes = 1.0 / 6, LongestMinutes = 60 * 24;

    [CommandOption("--out <DIR>")]
    [Description("Folder for the images, the model and the report.")]
    [DefaultValue("demo")]
    public string Out { get; init; } = "demo";

    [CommandOption("--minutes <T>")]
    [Description("Time for all of it: training gets what rendering and evaluation leave, at least ten seconds.")]
    [DefaultValue(2.75)]
    public double Minutes { get; init; } = 2.75;

    [CommandOption("--seed <N>")]
    [Description("Another seed gives other images and another model.")]
    [DefaultValue(1ul)]
    public ulong Seed { get; init; } = 1;

    public override ValidationResult Validate() => Minutes is >= ShortestMinutes and <= LongestMinutes
        ? base.Validate()
        : ValidationResult.Error($"--minutes {Minutes}: give {ShortestMinutes:0.##} (10 seconds) to {LongestMinutes}.");
}
