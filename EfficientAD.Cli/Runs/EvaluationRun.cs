using System.Globalization;
using EfficientAD.Cli.Files;
using EfficientAD.Cli.Output;
using EfficientAD.Cli.Reports;
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

    private readonly List<double> _milliseconds = [];

    public async Task<EvaluationResult> RunAsync(
        AnomalyDetector detector, AnomalyDataset dataset, string folder, CancellationToken cancellation,
        IReadOnlyDictionary<string, string>? groups = null)
    {
        string[] maps = MapPaths(dataset);
        OutputFolder.Prepare(folder, Metrics, Scores, Maps, ReportFile);
        string[] paths = [.. dataset.Test.Select(sample => sample.Path)];
        using DetectionClock clock = detector.CreateClock();
        using var evaluator = new Evaluator(dataset, ImageReader.Default.ReadMask, folder)
        {
            Groups = groups ?? new Dictionary<string, string>(),
        };
        await WorkProgress.RunAsync(output, !json, "Evaluating", paths.Length, async progress =>
        {
            await foreach (DecodedImage decoded in ImageStream.ReadAsync(paths, cancellation))
            {
                BranchResults results = Detect(detector, decoded, clock);
                evaluator.AddBranches(dataset.Test[decoded.Index], results);
                if (results.Both.Map is { } map) WriteMap(Path.Combine(folder, Maps, maps[decoded.Index]), map);
                progress.Report(decoded.Index + 1);
            }
        });

        EvaluationResult evaluation = evaluator.Complete();
        var content = new ReportContent(
            [.. Facts(detector)], evaluation, detector.Threshold, image => TryRead(image.Path), evaluator.Read);
        Write(Metrics, stream => MetricsJson.Write(stream, evaluation));
        Write(Scores, stream => ScoresCsv.Write(stream, evaluation));
        Write(ReportFile, stream => HtmlReport.Write(stream, content));
        foreach (string warning in evaluation.Warnings) output.Warn(warning);
        return evaluation;

        void Write(string name, Action<Stream> write) => AtomicFile.Write(Path.Combine(folder, name), write);
    }

    private BranchResults Detect(AnomalyDetector detector, DecodedImage decoded, DetectionClock clock)
    {
        if (decoded.Image is not { } image) return BranchResults.Invalid(decoded.Reason!);
        BranchResults results = detector.DetectBranches(image.View, clock);
        DetectionTimes times = clock.Read();
        if (results.Both.Verdict != Verdict.Invalid)
            _milliseconds.Add((times.Preprocess + times.Compute + times.Download).TotalMilliseconds);
        return results;
    }

    /// <summary>What a reader needs to judge the figures, or to get them again.</summary>
    private IEnumerable<(string Name, string Value)> Facts(AnomalyDetector detector)
    {
        ModelInformation model = detector.Information;
        string size = model.Size.ToString()[..1];
        yield return ("Network", $"EfficientAD-{size}, input {model.InputHeight} x {model.InputWidth}");
        yield return ("Recipe", model.Recipe);
        yield return ("Deviations", model.Deviations == "" ? "none" : model.Deviations);
        yield return ("Training",
            $"{model.Steps} steps on {model.TrainingImages} good images of {model.Data}, seed {model.Seed}");
        yield return ("Teacher", model.Teacher);
        yield return ("Penalty", model.Penalty);
        yield return ("Maps", model.MapOrder.ToString().ToLowerInvariant());
        if (_milliseconds.Count > 0)
        {
            double median = _milliseconds.Order().ElementAt(_milliseconds.Count / 2);
            yield return ("Time", string.Create(CultureInfo.InvariantCulture,
                $"{median:0.#} ms an image (median, from pixels to map, while the next one is decoded)"));
        }

        yield return ("Version", ThisVersion.Text);
    }

    private static RgbImage? TryRead(string path)
    {
        try
        {
            return ImageReader.Default.Read(path);
        }
        catch (Exception e) when (e is ImageFormatException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
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
