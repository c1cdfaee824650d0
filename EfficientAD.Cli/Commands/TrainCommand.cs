using EfficientAD.Cli.Files;
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
        AnomalyDataset dataset = DatasetReader.Open(settings.Data, withTest: false);
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
        OutputFile.RequireNoFolder(settings.Out);
        if (settings.Resume) OutputFile.RequireCheckpoint(settings.CheckpointPath);
        if (settings.Force) return;
        OutputFile.RequireNew(settings.Out);
        if (!settings.Resume) OutputFile.RequireNoCheckpoint(settings.CheckpointPath);
    }
}
