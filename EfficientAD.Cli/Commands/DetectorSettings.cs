using System.ComponentModel;
using EfficientAD.Cli.Output;
using EfficientAD.Detection;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

/// <summary>What evaluate and predict share.</summary>
internal abstract class DetectorSettings : ComputeSettings
{
    private const int SmallestTile = 64, LargestTile = 4096;

    private static readonly string[] Modes =
        [.. Enum.GetNames<DetectionMode>().Select(name => name.ToLowerInvariant())];

    [CommandOption("--model <FILE>", isRequired: true)]
    [Description("A model written by 'efficientad train'.")]
    public string Model { get; init; } = "";

    [CommandOption("--any-size")]
    [Description("Accept images of another size than the training images; else these are invalid.")]
    public bool AnySize { get; init; }

    [CommandOption("--tile <PIXELS>")]
    [Description("Compute inputs larger than this in tiles of this side: memory is a tile's, the result the same.")]
    public int Tile { get; init; }

    [CommandOption("--mode <MODE>")]
    [Description("How the CPU computes: fast, precise or plain.")]
    [DefaultValue("fast")]
    public string Mode { get; init; } = "fast";

    [CommandOption("--json")]
    [Description("Write JSON for programs instead of text.")]
    public bool Json { get; init; }

    /// <summary>Reads a mode by its name in small letters.</summary>
    public static bool TryMode(string name, out DetectionMode mode)
    {
        mode = default;
        return Modes.Contains(name) && Enum.TryParse(name, ignoreCase: true, out mode);
    }

    public override ValidationResult Validate()
    {
        if (Tile is not 0 and (< SmallestTile or > LargestTile))
            return ValidationResult.Error($"--tile {Tile}: give {SmallestTile} to {LargestTile} pixels.");
        return TryMode(Mode, out _)
            ? base.Validate()
            : ValidationResult.Error($"--mode {Mode}: give {string.Join(", ", Modes)}.");
    }

    /// <param name="output">Is told where the detector computes otherwise than asked.</param>
    /// <exception cref="Models.ModelFormatException">The file is no model, or is damaged.</exception>
    /// <exception cref="NotSupportedException">The device cannot be used.</exception>
    public AnomalyDetector LoadDetector(CommandOutput output)
    {
        AnomalyDetector detector = AnomalyDetector.Load(
            Model,
            new DetectorOptions
            {
                Device = Processor,
                Threads = Threads,
                Cuda = Cuda,
                AcceptAnySize = AnySize,
                Tile = Tile,
                Mode = Enum.Parse<DetectionMode>(Mode, ignoreCase: true),
            });
        output.WarnOfFallback(detector);
        return detector;
    }
}
