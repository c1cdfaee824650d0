using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Evaluation;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class EvaluateCommand(CommandOutput output) : AsyncCommand<EvaluateSettings>
{
    public override async Task<int> ExecuteAsync(
        CommandContext context, EvaluateSettings settings, CancellationToken cancellation)
    {
        settings.RequireDevice();
        AnomalyDataset dataset = DatasetReader.Open(settings.Data);
        if (dataset.Test.Count == 0)
        {
            throw new DatasetException(
                $"{dataset.Root} has no test images. Evaluation needs test/good and test/DEFECT, or VisA's split.");
        }

        using AnomalyDetector detector = settings.LoadDetector(output);
        var run = new EvaluationRun(output, settings.Json);
        EvaluationResult result = await run.RunAsync(detector, dataset, settings.Out, cancellation);
        if (settings.Json)
        {
            output.WriteUtf8(stream => MetricsJson.Write(stream, result));
        }
        else
        {
            MetricsTable.Write(output, result);
            output.WriteLine($"Report: {Path.Combine(settings.Out, EvaluationRun.ReportFile)}");
        }

        return ExitCode.Success;
    }
}
