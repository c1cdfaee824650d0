using System.Diagnostics;
using System.Globalization;
using EfficientAD.Cli.Output;
using EfficientAD.Data;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Training;
using Spectre.Console;

namespace EfficientAD.Cli.Runs;

/// <summary>Trains a model and tells how it goes.</summary>
internal sealed class TrainingRun(CommandOutput output, bool json)
{
    private const int FewSteps = 50;
    private const float LittleExplained = 0.1f;

    public ModelInformation Run(AnomalyDataset dataset, TrainingOptions options, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        using var trainer = new EfficientADTrainer(dataset, options);
        if (json) WriteStart(dataset, options, trainer);
        else Describe(dataset, options, trainer);

        ModelInformation? model = null;
        if (output.IsTerminal && !json)
            TrainingBars.Show(
                output.Console, Enum.GetValues<TrainingPhase>(),
                progress => model = trainer.Run(progress, cancellation));
        else
            model = trainer.Run(new TrainingLog(output, json), cancellation);

        if (json) WriteDone(model!, options, clock.Elapsed);
        else Summarise(model!, options, clock.Elapsed);
        if (model!.Calibration.Caveat is { } caveat) output.Warn(caveat);
        if (options.Duration is { } limit && model.Steps < FewSteps)
        {
            output.Warn(
                $"Only {model.Steps} steps fitted into {Durations.Format(limit)}; below {FewSteps} a student has " +
                "hardly begun to learn. Give more minutes.");
        }

        if (model.AutoencoderExplains < LittleExplained)
        {
            output.Warn(string.Create(CultureInfo.InvariantCulture,
                $"The autoencoder explains {model.AutoencoderExplains:0%} of good images' features, so it says little " +
                $"about parts that are missing, doubled or misplaced. More minutes help where good images show one " +
                $"scene."));
        }

        return model;
    }

    /// <summary>What will happen, and in what it differs from the recipe, before hours go by.</summary>
    private void Describe(AnomalyDataset dataset, TrainingOptions options, EfficientADTrainer trainer)
    {
        Recipe recipe = options.Recipe;
        TrainingSplit split = dataset.SplitTrainValidation(options.Seed);
        output.WriteLine($"Training EfficientAD-{SizeLetter(options.Size)} on {dataset.Name}");
        var facts = new FactTable();
        facts.Add("images",
            $"{split.Train.Count} to learn from, {split.Validation.Count} set aside for map scale and threshold");
        facts.Add("recipe", recipe.Name);
        facts.Add("deviations", options.DescribeDeviations() is { Length: > 0 } deviations ? deviations : "none");
        facts.Add("penalty", options.DescribePenalty());
        facts.Add("teacher", options.TeacherPath ?? "the shipped one");
        facts.Add("seed", options.Seed.ToString(CultureInfo.InvariantCulture));
        facts.Add("computes on", trainer.Processor);
        if (options.Resume) facts.Add("resumes", trainer.CheckpointPath);
        facts.WriteTo(output);
    }

    private void Summarise(ModelInformation model, TrainingOptions options, TimeSpan elapsed)
    {
        Detection.Calibration calibration = model.Calibration;
        double megabytes = new FileInfo(options.ModelPath).Length / 1e6;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Wrote {options.ModelPath} ({megabytes:0.0} MB): {model.Steps} steps in {Durations.Format(elapsed)}."));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Threshold {calibration.Threshold:0.####}, from the scores of {calibration.Images} good images, " +
            $"meant to let {calibration.FalsePositiveRate:0.##%} fail."));
    }

    private void WriteStart(
        AnomalyDataset dataset, TrainingOptions options, EfficientADTrainer trainer) => output.WriteJson(writer =>
    {
        TrainingSplit split = dataset.SplitTrainValidation(options.Seed);
        writer.WriteString("event", "start");
        writer.WriteString("data", dataset.Name);
        writer.WriteNumber("training_images", split.Train.Count);
        writer.WriteNumber("validation_images", split.Validation.Count);
        writer.WriteString("network", SizeLetter(options.Size));
        writer.WriteString("recipe", options.Recipe.Name);
        writer.WriteString("deviations", options.DescribeDeviations());
        writer.WriteString("penalty", options.DescribePenalty());
        writer.WriteString("processor", trainer.Processor);
    });

    private void WriteDone(ModelInformation model, TrainingOptions options, TimeSpan time) => output.WriteJson(writer =>
    {
        writer.WriteString("event", "done");
        writer.WriteString("model", options.ModelPath);
        writer.WriteNumber("seconds", Math.Round(time.TotalSeconds, 1));
        writer.WriteNumber("steps", model.Steps);
        writer.WriteNumber("threshold", model.Calibration.Threshold);
        if (model.AutoencoderExplains is { } explained) writer.WriteNumber("autoencoder_explains", explained);
        writer.WriteString("deviations", model.Deviations);
    });

    private static string SizeLetter(PdnSize size) => size.ToString()[..1];
}
