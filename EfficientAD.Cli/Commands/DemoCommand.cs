using System.Diagnostics;
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

    // Evaluation and report take about 1.3 times as long as the rendering, on a machine at rest and on a busy one.
    private const double EvaluationPerRendering = 1.5;

    private static readonly TimeSpan ShortestTraining = TimeSpan.FromSeconds(10);

    public override async Task<int> ExecuteAsync(
        CommandContext context, DemoSettings settings, CancellationToken cancellation)
    {
        settings.RequireDevice();
        OutputFolder.Prepare(settings.Out, Images, Model, Model + ".checkpoint", Report);
        string images = Path.Combine(settings.Out, Images), model = Path.Combine(settings.Out, Model);
        var clock = Stopwatch.StartNew();
        await RenderAsync(images, settings, cancellation);
        TimeSpan left = TimeSpan.FromMinutes(settings.Minutes) - (1 + EvaluationPerRendering) * clock.Elapsed;

        AnomalyDataset dataset = DatasetReader.Open(images);
        var options = new TrainingOptions
        {
            Recipe = Recipe.Quick,
            Duration = left > ShortestTraining ? left : ShortestTraining,
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
        EvaluationResult result = await evaluation.RunAsync(
            detector, dataset, report, cancellation, ConveyorDataset.Groups);
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
