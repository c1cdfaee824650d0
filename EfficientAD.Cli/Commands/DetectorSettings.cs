using System.ComponentModel;
using EfficientAD.Detection;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

/// <summary>What evaluate and predict share.</summary>
internal abstract class DetectorSettings : ComputeSettings
{
    [CommandOption("--model <FILE>", isRequired: true)]
    [Description("A model written by 'efficientad train'.")]
    public string Model { get; init; } = "";

    [CommandOption("--any-size")]
    [Description("Accept images of another size than the training images; else these are invalid.")]
    public bool AnySize { get; init; }

    [CommandOption("--json")]
    [Description("Write JSON for programs instead of text.")]
    public bool Json { get; init; }

    /// <exception cref="Models.ModelFormatException">The file is no model, or is damaged.</exception>
    /// <exception cref="NotSupportedException">The device cannot be used.</exception>
    public AnomalyDetector LoadDetector() => AnomalyDetector.Load(
        Model,
        new DetectorOptions { Device = Processor, Threads = Threads, Cuda = Cuda, AcceptAnySize = AnySize });
}
