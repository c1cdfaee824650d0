using EfficientAD.Cli.Demo;
using EfficientAD.Cli.Files;
using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Evaluation;
using EfficientAD.Training;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class DemoCommand(CommandOutput output) : AsyncCommand<DemoSettings>
{
    private const string Images = "conveyor", Model = "conveyor.safetensors", Report = "report";

    public override async Task<int> ExecuteAsync(
        CommandContext context, DemoSettings settings, CancellationToken cancellation)
    {
        settings.RequireDevice();
        OutputFolder.Prepare(settings.Out, Images, Model, Model + ".checkpoint", Report);
        string images = Path.Combine(settings.Out, Images), model = Path.Combine(settings.Out, Model);
        await RenderAsync(images, settings, cancellation);

        AnomalyDataset dataset = DatasetReader.Open(images);
        var options = new TrainingOptions
        {
            Recipe = Recipe.Quick,
            Duration = TimeSpan.FromMinutes(settings.Minutes),
            Seed = settings.Seed,
            ModelPath = model,
            Device = settings.Processor,
            Cpu = settings.Cpu,
            Cuda = settings.Cuda,
        };
        new TrainingRun(output, json: false).Run(dataset, options, cancellation);

        var detectorOptions = new DetectorOptions
        {
            Device = settings.Processor,
            Threads = settings.Threads,
            Cuda = settings.Cuda,
        };
        using AnomalyDetector detector = AnomalyDetector.Load(model, detectorOptions);
        string report = Path.Combine(settings.Out, Report);
        var evaluation = new EvaluationRun(output, json: false);
        EvaluationResult result = await evaluation.RunAsync(detector, dataset, report, cancellation);
        MetricsTable.Write(output, result);
        output.WriteLine($"Open {Path.GetFullPath(Path.Combine(report, EvaluationRun.ReportFile))} in a browser.");
        return ExitCode.Success;
    }

    private async Task RenderAsync(string folder, DemoSettings settings, CancellationToken cancellation)
    {
        var counts = new ConveyorCounts();
        int threads = settings.Threads > 0 ? settings.Threads : Environment.ProcessorCount;
        await WorkProgress.RunAsync(output, isShown: true, "Rendering", counts.Total, progress =>
        {
            ConveyorDataset.Render(folder, settings.Seed, counts, threads, progress, cancellation);
            return Task.CompletedTask;
        });
    }
}
