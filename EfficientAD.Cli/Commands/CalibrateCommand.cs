using System.ComponentModel;
using System.Globalization;
using EfficientAD.Cli.Files;
using EfficientAD.Cli.Output;
using EfficientAD.Data;
using EfficientAD.Models;
using EfficientAD.Training;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class CalibrateSettings : ComputeSettings
{
    private static readonly string[] Splits =
        [.. Enum.GetNames<CalibrationSplit>().Select(name => name.ToLowerInvariant())];

    [CommandOption("--model <FILE>", isRequired: true)]
    [Description("A model, or what 'efficientad import' wrote without statistics.")]
    public string Model { get; init; } = "";

    [CommandOption("--data <DIR>", isRequired: true)]
    [Description("Good images: a category of MVTec AD, MVTec LOCO AD or VisA, or a folder.")]
    public string Data { get; init; } = "";

    [CommandOption("--out <MODEL>", isRequired: true)]
    [Description("The model file to write.")]
    public string Out { get; init; } = "";

    [CommandOption("--split <SPLIT>")]
    [Description(
        "reference: as nelson1425/EfficientAD split the images it trained on; training: as 'efficientad train' did; " +
        "all: every good image. Default: reference for its networks, training for a model and the images that it was " +
        "trained on, else all.")]
    public string? Split { get; init; }

    [CommandOption("--false-positives <SHARE>")]
    [Description("Share of good images that the threshold is meant to let fail.")]
    [DefaultValue(0.01f)]
    public float FalsePositives { get; init; } = 0.01f;

    [CommandOption("--place-weights")]
    [Description("Find the weights of the local map's places on the images; else those of the file stay.")]
    public bool PlaceWeights { get; init; }

    [CommandOption("--eight-bits")]
    [Description(
        "Compare numbers of 8 bits with float32 on up to 64 of the images, a second or two each, so that --precision " +
        "int8 and fp8 can be used.")]
    public bool EightBits { get; init; }

    [CommandOption("--force")]
    [Description("Replace an existing model.")]
    public bool Force { get; init; }

    [CommandOption("--json")]
    [Description("Write progress and result as lines of JSON.")]
    public bool Json { get; init; }

    public override ValidationResult Validate()
    {
        if (Split is not null && !Splits.Contains(Split))
            return ValidationResult.Error($"--split {Split}: give {string.Join(" or ", Splits)}.");
        if (IsOfDetection)
            return ValidationResult.Error($"--precision {Precision}: of detection. Calibrate with full, tf32 or half.");
        if (FalsePositives is not (> 0 and <= 0.5f))
            return ValidationResult.Error($"--false-positives {FalsePositives}: give more than 0 and at most 0.5.");
        return base.Validate();
    }

    public CalibrationOptions ToOptions() => new()
    {
        ModelPath = Model,
        OutputPath = Out,
        Split = Split is null ? null : Enum.Parse<CalibrationSplit>(Split, ignoreCase: true),
        FalsePositiveRate = FalsePositives,
        WeighsPlaces = PlaceWeights,
        EightBits = EightBits,
        Device = Processor,
        Cpu = Cpu,
        Cuda = Cuda,
    };
}

internal sealed class CalibrateCommand(CommandOutput output) : Command<CalibrateSettings>
{
    public override int Execute(CommandContext context, CalibrateSettings settings, CancellationToken cancellation)
    {
        settings.RequireDevice();
        OutputFile.Protect(settings.Out, settings.Force);
        AnomalyDataset dataset = DatasetReader.Open(settings.Data, withTest: false);
        using var calibrator = new ModelCalibrator(dataset, settings.ToOptions());
        if (!settings.Json) Describe(dataset, calibrator);
        ModelInformation? model = null;
        if (output.IsTerminal && !settings.Json)
        {
            TrainingBars.Show(
                output.Console, Phases(calibrator), progress => model = calibrator.Run(progress, cancellation));
        }
        else
        {
            model = calibrator.Run(new TrainingLog(output, settings.Json), cancellation);
        }

        if (settings.Json) WriteJson(settings.Out, calibrator, model!);
        else Summarise(settings.Out, calibrator, model!);
        if (model!.Calibration.Caveat is { } caveat) output.Warn(caveat);
        return ExitCode.Success;
    }

    private static TrainingPhase[] Phases(ModelCalibrator calibrator) =>
        calibrator.NeedsStatistics ? [TrainingPhase.Statistics, TrainingPhase.Quantiles] : [TrainingPhase.Quantiles];

    private void Describe(AnomalyDataset dataset, ModelCalibrator calibrator)
    {
        output.WriteLine($"Calibrating on {dataset.Name}");
        var facts = new FactTable();
        facts.Add("split", calibrator.Split.ToString().ToLowerInvariant());
        string statistics = calibrator.NeedsStatistics ? $"from {calibrator.Images.Train.Count} images" : "kept";
        facts.Add("teacher statistics", statistics);
        facts.Add("quantiles, threshold", $"from {calibrator.Images.Validation.Count} images");
        facts.WriteTo(output);
    }

    private void Summarise(string path, ModelCalibrator calibrator, ModelInformation model)
    {
        Detection.Calibration calibration = model.Calibration;
        PrecisionTable.Write(output, calibrator.Precisions, calibration);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Wrote {path}. Threshold {calibration.Threshold:0.####}, " +
            $"from the scores of {calibration.Images} good images, " +
            $"meant to let {calibration.FalsePositiveRate:0.##%} fail."));
    }

    private void WriteJson(string path, ModelCalibrator calibrator, ModelInformation model) =>
        output.WriteJson(writer =>
    {
        writer.WriteString("event", "done");
        writer.WriteString("model", path);
        writer.WriteString("split", calibrator.Split.ToString().ToLowerInvariant());
        writer.WriteNumber("statistics_images", calibrator.NeedsStatistics ? calibrator.Images.Train.Count : 0);
        writer.WriteNumber("validation_images", calibrator.Images.Validation.Count);
        writer.WriteNumber("threshold", model.Calibration.Threshold);
        PrecisionTable.WriteJson(writer, calibrator.Precisions, model.Calibration);
    });
}
