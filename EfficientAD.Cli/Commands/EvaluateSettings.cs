using System.ComponentModel;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class EvaluateSettings : DetectorSettings
{
    [CommandOption("--data <DIR>", isRequired: true)]
    [Description("A category of MVTec AD, MVTec LOCO AD or VisA, with its test images.")]
    public string Data { get; init; } = "";

    [CommandOption("--out <DIR>", isRequired: true)]
    [Description("Folder for metrics.json, scores.csv, maps and report.html.")]
    public string Out { get; init; } = "";
}
