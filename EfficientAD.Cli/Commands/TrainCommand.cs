using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Data;
using EfficientAD.Training;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class TrainCommand(CommandOutput output) : Command<TrainSettings>
{
    public override int Execute(CommandContext context, TrainSettings settings, CancellationToken cancellation)
    {
        settings.RequireDevice();
        ProtectOutput(settings);
        AnomalyDataset dataset = DatasetReader.Open(settings.Data);
        TrainingOptions options = settings.ToOptions();
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(settings.Out))!);
        var run = new TrainingRun(output, settings.Json);
        try
        {
            run.Run(dataset, options, cancellation);
            return ExitCode.Success;
        }
        catch (OperationCanceledException)
        {
            Interruption.Report(output, settings.Json, context.Arguments, settings.CheckpointPath);
            return ExitCode.Cancelled;
        }
    }

    /// <summary>Neither a model nor hours of training are lost to a repeated command.</summary>
    private static void ProtectOutput(TrainSettings settings)
    {
        bool hasCheckpoint = File.Exists(settings.CheckpointPath);
        string model = settings.Out, checkpoint = settings.CheckpointPath;
        if (Directory.Exists(model)) throw new IOException($"{model} is a folder. Name a file with --out.");
        if (settings.Resume && !hasCheckpoint)
            throw new IOException($"There is nothing to resume: {checkpoint} does not exist. Start without --resume.");
        if (settings.Force) return;
        if (File.Exists(model)) throw new IOException($"{model} exists. Name another file, or use --force.");
        if (hasCheckpoint && !settings.Resume)
        {
            throw new IOException(
                $"{checkpoint} holds an interrupted run. Go on with --resume, or start anew with --force.");
        }
    }
}
