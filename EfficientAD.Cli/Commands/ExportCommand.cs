using System.ComponentModel;
using System.Globalization;
using EfficientAD.Cli.Files;
using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Models;
using EfficientAD.Onnx;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class ExportSettings : VerbositySettings
{
    [CommandOption("--model <FILE>", isRequired: true)]
    [Description("A model written by 'efficientad train'.")]
    public string Model { get; init; } = "";

    [CommandOption("--onnx <FILE>", isRequired: true)]
    [Description("The ONNX file to write.")]
    public string Onnx { get; init; } = "";

    [CommandOption("--input <KIND>")]
    [Description("What the graph takes: 'rgb' (8-bit pixels) or 'normalized' (floats).")]
    [DefaultValue("rgb")]
    public string Input { get; init; } = "rgb";

    [CommandOption("--force")]
    [Description("Replace an existing file.")]
    public bool Force { get; init; }

    [CommandOption("--json")]
    [Description("Write JSON for programs instead of text.")]
    public bool Json { get; init; }

    public bool TakesRgb => Input == "rgb";

    public override ValidationResult Validate() => Input is "rgb" or "normalized"
        ? ValidationResult.Success()
        : ValidationResult.Error($"--input {Input}: give rgb or normalized.");
}

internal sealed class ExportCommand(CommandOutput output) : Command<ExportSettings>
{
    public override int Execute(CommandContext context, ExportSettings settings, CancellationToken cancellation)
    {
        OutputFile.Protect(settings.Onnx, settings.Force, "--onnx");
        using (ModelFile model = ModelFile.Open(settings.Model))
            AtomicFile.Write(settings.Onnx, stream => OnnxExport.Write(model, settings.TakesRgb, stream));
        OnnxDifference difference = OnnxCheck.Compare(settings.Onnx, settings.Model, settings.TakesRgb);
        long bytes = new FileInfo(settings.Onnx).Length;
        if (settings.Json)
        {
            output.WriteJson(json =>
            {
                json.WriteString("onnx", settings.Onnx);
                json.WriteNumber("bytes", bytes);
                json.WriteNumber("map_difference", difference.Map);
                json.WriteNumber("score_difference", difference.Score);
                json.WriteNumber("map_range", difference.Range);
            });
            return ExitCode.Success;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{settings.Onnx}: {bytes / 1e6:0.0} MB"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"ONNX Runtime's map differs from ours by {difference.Map:G2} at most, its score by " +
            $"{difference.Score:G2} (values up to {difference.Range:G3})."));
        return ExitCode.Success;
    }
}
