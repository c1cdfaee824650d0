using System.Globalization;
using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Networks;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

/// <summary>Shows what each fusion of the CUDA plan saves, by counting a detection without it on the
/// simulator.</summary>
internal sealed class AblateCommand(CommandOutput output) : Command<AblateSettings>
{
    public override int Execute(CommandContext context, AblateSettings settings, CancellationToken cancellation)
    {
        PdnSize size = settings.Size == "S" ? PdnSize.Small : PdnSize.Medium;
        List<AblationRow> rows = [];
        foreach (AblationVariant variant in AblationVariant.For(settings.Card))
        {
            cancellation.ThrowIfCancellationRequested();
            rows.Add(AblationRow.Count(variant, size, settings.Input, settings.Card));
        }

        string title = string.Create(CultureInfo.InvariantCulture,
            $"EfficientAD-{settings.Size} with random weights, one detection at {settings.Input} x {settings.Input}");
        if (settings.Json) output.WriteJson(json => AblationTable.WriteJson(json, title, rows, settings.Card));
        else AblationTable.Write(output, title, rows, settings.Card);
        return ExitCode.Success;
    }
}
