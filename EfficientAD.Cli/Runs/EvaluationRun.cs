using EfficientAD.Cli.Files;
using EfficientAD.Cli.Output;
using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Evaluation;
using EfficientAD.Imaging;
using EfficientAD.Models;
using Spectre.Console;

namespace EfficientAD.Cli.Runs;

/// <summary>Judges a category's test images and writes everything that follows from it into a folder.</summary>
internal sealed class EvaluationRun(CommandOutput output, bool json)
{
    public const string ReportFile = "report.html";

    private const string Metrics = "metrics.json", Scores = "scores.csv", Maps = "maps";

    public async Task<EvaluationResult> RunAsync(
        AnomalyDetector detector, AnomalyDataset dataset, string folder, CancellationToken cancellation)
    {
        string[] maps = MapPaths(dataset);
        OutputFolder.Prepare(folder, Metrics, Scores, Maps, ReportFile);
        using var evaluator = new Evaluator(dataset, ImageReader.Default.ReadMask, Path.GetTempPath());
        await WorkProgress.RunAsync(output, !json, "Evaluating", dataset.Test.Count, async progress =>
        {
            string[] paths = [.. dataset.Test.Select(sample => sample.Path)];
            await foreach (DecodedImage decoded in ImageStream.ReadAsync(paths, cancellation))
            {
                DetectionResult result = decoded.Image is { } image
                    ? detector.Detect(image.View)
                    : DetectionResult.Invalid(decoded.Reason!);
                evaluator.Add(dataset.Test[decoded.Index], result);
                if (result.Map is { } map) WriteMap(Path.Combine(folder, Maps, maps[decoded.Index]), map);
                progress.Report(decoded.Index + 1);
            }
        });

        EvaluationResult evaluation = evaluator.Complete();
        AtomicFile.Write(Path.Combine(folder, Metrics), stream => MetricsJson.Write(stream, evaluation));
        AtomicFile.Write(Path.Combine(folder, Scores), stream => ScoresCsv.Write(stream, evaluation));
        foreach (string warning in evaluation.Warnings) output.Warn(warning);
        return evaluation;
    }

    /// <summary>DEFECT/NAME.tiff for every test image, as the official MVTec scripts look for them.</summary>
    private static string[] MapPaths(AnomalyDataset dataset)
    {
        string[] paths = [.. dataset.Test.Select(sample =>
            Path.Combine(sample.Defect, Path.GetFileNameWithoutExtension(sample.Path) + ".tiff"))];
        return paths.CountBy(path => path).FirstOrDefault(pair => pair.Value > 1) is { Key: { } twice }
            ? throw new DatasetException($"{dataset.Root} has two test images whose map would be {twice}. Rename one.")
            : paths;
    }

    private static void WriteMap(string path, AnomalyMap map)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        FloatTiff.Write(path, map);
    }
}
