using System.ComponentModel;
using System.Globalization;
using EfficientAD.Backends;
using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Imaging;
using EfficientAD.Parity;
using EfficientAD.Tensors;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class CompareSettings : ComputeSettings
{
    [CommandOption("--model <FILE>", isRequired: true)]
    [Description("A model, or weights in any format that 'efficientad import' reads.")]
    public string Model { get; init; } = "";

    [CommandOption("--dump <FILE>", isRequired: true)]
    [Description("The other implementation's input and layer outputs, .npz or safetensors: see docs/parity.md.")]
    public string Dump { get; init; } = "";

    [CommandOption("--image <FILE>")]
    [Description("The image that the dump was made from: compares the preprocessing too.")]
    public string? Image { get; init; }

    [CommandOption("--tolerance <X>")]
    [Description("Largest difference that still counts as equal, in units of the layer's largest value.")]
    [DefaultValue(1e-4)]
    public double Tolerance { get; init; } = 1e-4;

    [CommandOption("--json")]
    [Description("Write JSON for programs instead of text.")]
    public bool Json { get; init; }

    public override ValidationResult Validate() =>
        Tolerance is > 0 and < 1
            ? base.Validate()
            : ValidationResult.Error($"--tolerance {Tolerance}: give more than 0 and less than 1.");
}

internal sealed class CompareCommand(CommandOutput output) : Command<CompareSettings>
{
    public override int Execute(CommandContext context, CompareSettings settings, CancellationToken cancellation)
    {
        settings.RequireDevice();
        (List<LayerDifference> differences, string[] ignored) = Abandonable.Run(() => Compare(settings), cancellation);
        // Not "greater": what is no number parts as well.
        LayerDifference? parting = differences.Find(difference => !(difference.Relative <= settings.Tolerance));
        if (settings.Json) WriteJson(differences, ignored, parting, settings.Tolerance);
        else WriteText(differences, ignored, parting, settings.Tolerance);
        return parting is null ? ExitCode.Success : ExitCode.Different;
    }

    /// <returns>The layers of both, and the dump's arrays that the model has no layer for.</returns>
    private static (List<LayerDifference> Differences, string[] Ignored) Compare(CompareSettings settings)
    {
        using LayerDump dump = LayerDump.Open(settings.Dump);
        using IBackend backend = settings.Processor.Open(settings.Cpu);
        var comparison = new NetworkComparison(backend, settings.Model, dump);
        List<LayerDifference> differences = [];
        if (settings.Image is { } image)
            differences.Add(comparison.ComparePreprocessing(ImageReader.Default.Read(image).View));
        differences.AddRange(comparison.CompareLayers());
        string[] ignored = [.. dump.Names.Where(
            name => name != LayerDump.InputName && differences.TrueForAll(difference => difference.Layer != name))];
        return (differences, ignored);
    }

    private void WriteText(
        List<LayerDifference> differences, string[] ignored, LayerDifference? parting, double tolerance)
    {
        int width = differences.Max(difference => difference.Layer.Length);
        output.WriteLine(
            $"{"layer".PadRight(width)}  {"shape",-20}  {"max",10}  {"mean",10}  {"largest",10}  max/largest");
        foreach (LayerDifference difference in differences)
        {
            string name = difference.Layer.PadRight(width), mark = difference == parting ? "  <-" : "";
            output.WriteLine(difference.OtherShape is { } other
                ? $"{name}  {difference.Shape,-20}  the dump has [{string.Join(", ", other)}]{mark}"
                : string.Create(CultureInfo.InvariantCulture,
                    $"{name}  {difference.Shape,-20}  " +
                    $"{difference.Maximum,10:0.00e+00}  {difference.Mean,10:0.00e+00}  " +
                    $"{difference.Scale,10:0.000}  {difference.Relative,11:0.00e+00}{mark}"));
        }

        if (ignored.Length > 0)
            output.WriteLine(
                $"Not compared, since the model has no such layer: {string.Join(", ", ignored.Select(Printable))}.");
        output.WriteLine(parting is null
            ? $"All {differences.Count} agree within {Power(tolerance)} of their largest values."
            : $"They part at {parting.Layer}: {Reason(parting, tolerance)}.");
    }

    private static string Reason(LayerDifference parting, double tolerance) =>
        parting.OtherShape is not null ? "its shape differs"
        : !double.IsFinite(parting.Maximum) ? "a value is not finite in one of the two"
        : parting.Scale == 0 ? "the dump holds nothing but zeros there"
        : $"{Power(parting.Relative)} of its largest value, more than {Power(tolerance)}";

    private static string Power(double value) => value.ToString("0.##e+0", CultureInfo.InvariantCulture);

    private void WriteJson(
        List<LayerDifference> differences, string[] ignored, LayerDifference? parting, double tolerance) =>
        output.WriteJson(json =>
    {
        json.WriteStartArray("layers");
        foreach (LayerDifference difference in differences)
        {
            json.WriteStartObject();
            json.WriteString("layer", difference.Layer);
            json.WriteStartArray("shape");
            Shape shape = difference.Shape;
            foreach (int extent in new[] { shape.N, shape.C, shape.H, shape.W }) json.WriteNumberValue(extent);
            json.WriteEndArray();
            WriteNumber("max", difference.Maximum);
            WriteNumber("mean", difference.Mean);
            WriteNumber("largest", difference.Scale);
            WriteNumber("relative", difference.Relative);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("ignored");
        foreach (string name in ignored) json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteNumber("tolerance", tolerance);
        json.WriteString("parts_at", parting?.Layer);

        // JSON has no infinity, which another shape or NaN gives.
        void WriteNumber(string name, double value)
        {
            if (double.IsFinite(value)) json.WriteNumber(name, value);
            else json.WriteNull(name);
        }
    });

    private static string Printable(string name) =>
        string.Concat(name.Take(60).Select(c => char.IsControl(c) ? '?' : c));
}
