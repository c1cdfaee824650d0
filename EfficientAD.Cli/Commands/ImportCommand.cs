using System.ComponentModel;
using System.Globalization;
using EfficientAD.Cli.Files;
using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Models;
using EfficientAD.Models.Import;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class ImportSettings : VerbositySettings
{
    [CommandArgument(0, "<FILES>")]
    [Description("Weights of one model: PyTorch (.pth, .pt, .ckpt), ONNX, safetensors; also anomalib's metadata.json.")]
    public string[] Files { get; init; } = [];

    [CommandOption("--out <MODEL>", isRequired: true)]
    [Description("The file to write: a model, or a teacher where the files hold nothing else.")]
    public string Out { get; init; } = "";

    [CommandOption("--force")]
    [Description("Replace an existing file.")]
    public bool Force { get; init; }

    [CommandOption("--json")]
    [Description("Write JSON for programs instead of text.")]
    public bool Json { get; init; }
}

internal sealed class ImportCommand(CommandOutput output) : Command<ImportSettings>
{
    public override int Execute(CommandContext context, ImportSettings settings, CancellationToken cancellation)
    {
        OutputFile.Protect(settings.Out, settings.Force);
        ImportedModel imported = Abandonable.Run(() => Import(settings), cancellation);
        if (settings.Json) WriteJson(imported, settings.Out);
        else WriteText(imported, settings.Out);
        return ExitCode.Success;
    }

    private static ImportedModel Import(ImportSettings settings)
    {
        using var importer = new ModelImporter(settings.Files);
        return importer.Save(settings.Out);
    }

    private void WriteText(ImportedModel imported, string path)
    {
        string size = imported.Size.ToString()[..1];
        output.WriteLine(imported.Kind switch
        {
            ImportedKind.Teacher => $"Wrote {path}: a teacher of size {size}.",
            ImportedKind.Model => $"Wrote {path}: an EfficientAD-{size} model.",
            _ => $"Wrote {path}: the networks of an EfficientAD-{size} model, not yet calibrated.",
        });
        var facts = new FactTable();
        foreach (ImportedNetwork network in imported.Networks)
        {
            string prefix = network.Prefix.Length == 0
                ? ""
                : $", below '{SafetensorsHeader.Printable(network.Prefix)}'";
            facts.Add(Name(network.Role), $"{network.File} ({network.Format}), {network.Layout}{prefix}");
        }

        if (imported.Information is { } model)
        {
            facts.Add("map order", model.MapOrder.ToString().ToLowerInvariant());
            facts.Add("threshold", model.Calibration.Threshold.ToString("0.####", CultureInfo.InvariantCulture));
        }

        if (imported.Missing.Count > 0) facts.Add("missing", string.Join(", ", imported.Missing));
        facts.WriteTo(output);
        foreach (string note in imported.Notes) output.Warn(note);
        if (imported.Kind == ImportedKind.Model) return;

        bool isTeacher = imported.Kind == ImportedKind.Teacher;
        output.WriteLine(isTeacher ? "Train with it:" : "Complete it with the good images that it was trained on:");
        string[] next = isTeacher
            ? ["train", "--teacher", path, "--size", size, "--data", "DIR", "--out", "MODEL"]
            : ["calibrate", "--model", path, "--data", "DIR", "--out", "MODEL"];
        output.WriteLine($"  {Invocation.Describe(next)}");
    }

    private void WriteJson(ImportedModel imported, string path) => output.WriteJson(json =>
    {
        json.WriteString("out", path);
        json.WriteString("kind", imported.Kind.ToString().ToLowerInvariant());
        json.WriteString("network", imported.Size.ToString()[..1]);
        json.WriteBoolean("padded", imported.Padded);
        json.WriteStartArray("networks");
        foreach (ImportedNetwork network in imported.Networks)
        {
            json.WriteStartObject();
            json.WriteString("role", Name(network.Role));
            json.WriteString("file", network.File);
            json.WriteString("format", network.Format);
            json.WriteString("prefix", network.Prefix);
            json.WriteString("layout", network.Layout);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (imported.Information is { } model) json.WriteNumber("threshold", model.Calibration.Threshold);
        else json.WriteNull("threshold");
        WriteTexts("missing", imported.Missing);
        WriteTexts("notes", imported.Notes);

        void WriteTexts(string name, IReadOnlyList<string> texts)
        {
            json.WriteStartArray(name);
            foreach (string text in texts) json.WriteStringValue(text);
            json.WriteEndArray();
        }
    });

    private static string Name(NetworkRole role) => role.ToString().ToLowerInvariant();
}
