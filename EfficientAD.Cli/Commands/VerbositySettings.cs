using System.ComponentModel;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

/// <summary>What every command takes.</summary>
internal abstract class VerbositySettings : CommandSettings
{
    public const string VerboseOption = "--verbose";

    [CommandOption(VerboseOption)]
    [Description("Show where in the program an error arose.")]
    public bool Verbose { get; init; }
}
