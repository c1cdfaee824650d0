using EfficientAD.Backends;
using EfficientAD.Cli.Distillation;
using EfficientAD.Cli.Files;
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
        OutputFile.RequireNoFolder(settings.Out);
        if (settings.Resume) OutputFile.RequireCheckpoint(settings.CheckpointPath);
        if (settings.Force || settings.Resume) return;
        OutputFile.RequireNoCheckpoint(settings.CheckpointPath);
        OutputFile.RequireNew(settings.Out);
    }
}
