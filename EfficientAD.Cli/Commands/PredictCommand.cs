using EfficientAD.Cli.Files;
using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Detection;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class PredictCommand(CommandOutput output) : AsyncCommand<PredictSettings>
{
    public override async Task<int> ExecuteAsync(
        CommandContext context, PredictSettings settings, CancellationToken cancellation)
    {
        settings.RequireDevice();
        IReadOnlyList<ImagePath> images = ImagePaths.Expand(settings.Images);
        using AnomalyDetector detector = settings.LoadDetector(output);
        if (settings.Threshold is { } threshold) detector.Threshold = threshold;
        var overlays = settings.Out is null ? null : new OverlayFolder(settings.Out, images);
        var run = new PredictionRun(output, settings.Json);
        await run.RunAsync(detector, images, overlays, cancellation);
        return run.InvalidCount > 0 ? ExitCode.Invalid : run.AnomalousCount > 0 ? ExitCode.Anomalous : ExitCode.Success;
    }
}
