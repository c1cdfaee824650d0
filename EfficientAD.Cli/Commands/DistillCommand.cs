using EfficientAD.Backends;
using EfficientAD.Cli.Distillation;
using EfficientAD.Cli.Output;
using EfficientAD.Distillation;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class DistillCommand(CommandOutput output) : Command<DistillSettings>
{
    public override int Execute(CommandContext context, DistillSettings settings, CancellationToken cancellation)
    {
        settings.RequireDevice();
        ProtectOutput(settings);
        DistillationOptions options = settings.ToOptions(context.Arguments);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(settings.Out))!);
        try
        {
            string[] stages = settings.StageNames;
            using var backbone = new OnnxBackbone(
                settings.Backbone, stages[0], stages[1], settings.InputNormalization!);
            var images = NaturalImages.Read(settings.Images, settings.HeldBack, output, settings.Json, cancellation);
            using IBackend backend = settings.Processor.Open(settings.Cpu, settings.Cuda);
            using var distiller = new TeacherDistiller(backend, backbone, images.Set, images.Hash, options);
            new DistillationRun(output, settings.Json).Run(distiller, options, images.Set.Count, cancellation);
            return ExitCode.Success;
        }
        catch (OperationCanceledException)
        {
            Interruption.Report(output, settings.Json, context.Arguments, settings.CheckpointPath);
            return ExitCode.Cancelled;
        }
    }

    /// <summary>Neither a teacher nor hours of training are lost to a repeated command.</summary>
    private static void ProtectOutput(DistillSettings settings)
    {
        bool hasCheckpoint = File.Exists(settings.CheckpointPath);
        string teacher = settings.Out, checkpoint = settings.CheckpointPath;
        if (Directory.Exists(teacher)) throw new IOException($"{teacher} is a folder. Name a file with --out.");
        if (settings.Resume && !hasCheckpoint)
            throw new IOException($"There is nothing to resume: {checkpoint} does not exist. Start without --resume.");
        if (settings.Force || settings.Resume) return;
        if (hasCheckpoint)
        {
            throw new IOException(
                $"{checkpoint} holds an interrupted run. Go on with --resume, or start anew with --force.");
        }

        if (File.Exists(teacher)) throw new IOException($"{teacher} exists. Name another file, or use --force.");
    }
}
