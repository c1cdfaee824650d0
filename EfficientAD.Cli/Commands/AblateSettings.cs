using System.ComponentModel;
using System.Globalization;
using EfficientAD.Networks;
using PtxSimulator.Reports;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class AblateSettings : VerbositySettings
{
    private const int LargestInput = 1024;

    [CommandOption("--size <SIZE>")]
    [Description("The network, with random weights: S or M.")]
    [DefaultValue("S")]
    public string Size { get; init; } = "S";

    [CommandOption("--input <PIXELS>")]
    [Description("Side of the networks' input; 256 takes minutes.")]
    [DefaultValue(64)]
    public int Input { get; init; } = 64;

    [CommandOption("--card <CARD>")]
    [Description("Which card's times are predicted: h100, a6000, rtx4090 or orin.")]
    [DefaultValue("a6000")]
    public string CardName { get; init; } = "a6000";

    [CommandOption("--json")]
    [Description("Write JSON for programs instead of text.")]
    public bool Json { get; init; }

    public Card Card => Card.Find(CardName)!;

    public override ValidationResult Validate() =>
        FindFault() is { } fault ? ValidationResult.Error(fault) : base.Validate();

    private string? FindFault()
    {
        if (Size is not ("S" or "M")) return $"--size {Size}: give S or M.";
        if (Input is < PatchDescriptionNetwork.ReceptiveField or > LargestInput)
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"--input {Input}: give {PatchDescriptionNetwork.ReceptiveField} to {LargestInput} pixels.");
        }

        return Card.Find(CardName) is null
            ? $"--card {CardName}: give {string.Join(", ", Card.Known.Select(card => card.Key))}."
            : null;
    }
}
