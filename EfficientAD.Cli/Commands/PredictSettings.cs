using System.ComponentModel;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class PredictSettings : DetectorSettings
{
    [CommandArgument(0, "<IMAGES>")]
    [Description("Image files, folders (with all below them) or patterns such as 'shift-*/*.png'.")]
    public string[] Images { get; init; } = [];

    [CommandOption("--out <DIR>")]
    [Description("Write an overlay NAME_overlay.png for each image here.")]
    public string? Out { get; init; }

    [CommandOption("--threshold <X>")]
    [Description("A score above it is anomalous. Default: the model's own.")]
    public float? Threshold { get; init; }

    public override ValidationResult Validate() =>
        Threshold is { } threshold && !float.IsFinite(threshold)
            ? ValidationResult.Error($"--threshold {threshold}: give a finite number.")
            : base.Validate();
}
