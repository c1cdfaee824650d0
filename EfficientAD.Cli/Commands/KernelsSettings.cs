using System.ComponentModel;
using System.Globalization;
using EfficientAD.Backends.Cuda;
using EfficientAD.Networks;
using PtxSimulator.Reports;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class KernelsSettings : VerbositySettings
{
    private const int LargestInput = 4096;

    private static readonly string[] Precisions =
    [
        .. new[] { CudaPrecision.Full, CudaPrecision.Tf32, CudaPrecision.Half }
            .Select(name => name.ToString().ToLowerInvariant()),
    ];

    [CommandOption("--model <FILE>")]
    [Description("Run a detection of this model on a simulated card.")]
    public string? Model { get; init; }

    [CommandOption("--size <SIZE>")]
    [Description("Run a detection of this network with random weights: S or M.")]
    public string? Size { get; init; }

    [CommandOption("--input <PIXELS>")]
    [Description("With --size: side of the networks' input. Default: 256.")]
    public int? Input { get; init; }

    [CommandOption("--training")]
    [Description("Run a training step instead of a detection.")]
    public bool Training { get; init; }

    [CommandOption("--precision <PRECISION>")]
    [Description("How convolutions are computed: full, tf32 or half. Default: full.")]
    public string? Precision { get; init; }

    [CommandOption("--card <CARD>")]
    [Description("Which card's times are predicted: h100, a6000, rtx4090 or orin.")]
    [DefaultValue("a6000")]
    public string CardName { get; init; } = "a6000";

    [CommandOption("--checks")]
    [Description("Watch for errors of the kernels, too; several times slower.")]
    public bool Checks { get; init; }

    [CommandOption("--json")]
    [Description("Write JSON for programs instead of text.")]
    public bool Json { get; init; }

    /// <summary>Whether anything is to be run.</summary>
    public bool HasNetwork => Model is not null || Size is not null;

    public Card Card => Card.Find(CardName)!;

    public CudaPrecision CudaPrecision => Enum.Parse<CudaPrecision>(Precision ?? "full", ignoreCase: true);

    public override ValidationResult Validate() =>
        FindFault() is { } fault ? ValidationResult.Error(fault) : base.Validate();

    private string? FindFault()
    {
        if (Model is not null && Size is not null) return "Give --model or --size, not both.";
        if (!HasNetwork && (Training || Checks || Precision is not null))
            return "--training, --checks and --precision need a network: give --model or --size.";
        if (Input is not null && Size is null) return "--input: goes with --size; a model has its own input.";
        if (Size is not (null or "S" or "M")) return $"--size {Size}: give S or M.";
        if (Input is < PatchDescriptionNetwork.ReceptiveField or > LargestInput)
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"--input {Input}: give {PatchDescriptionNetwork.ReceptiveField} to {LargestInput} pixels.");
        }

        if (Precision is not null && !Precisions.Contains(Precision))
            return $"--precision {Precision}: give {string.Join(", ", Precisions)}.";
        return Card.Find(CardName) is null
            ? $"--card {CardName}: give {string.Join(", ", Card.Known.Select(card => card.Key))}."
            : null;
    }
}
