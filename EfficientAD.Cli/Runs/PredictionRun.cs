using System.Diagnostics;
using System.Globalization;
using EfficientAD.Cli.Files;
using EfficientAD.Cli.Output;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using Spectre.Console;

namespace EfficientAD.Cli.Runs;

/// <summary>Judges images one after another, in the order in which they were named; the next ones are decoded
/// meanwhile.</summary>
internal sealed class PredictionRun(CommandOutput output, bool json)
{
    private AnomalyMap? _map;

    public int AnomalousCount { get; private set; }

    public int InvalidCount { get; private set; }

    public async Task RunAsync(
        AnomalyDetector detector, IReadOnlyList<ImagePath> images, OverlayFolder? overlays,
        CancellationToken cancellation)
    {
        if (!json) output.WriteLine($"{"verdict",-9}  {"score",9}  {"calibrated",10}  {"ms",6}  image");
        string[] paths = [.. images.Select(image => image.Path)];
        await foreach (DecodedImage decoded in ImageStream.ReadAsync(paths, cancellation))
        {
            var clock = Stopwatch.StartNew();
            DetectionResult result = decoded.Image is { } image
                ? Detect(detector, image, wantsMap: overlays is not null)
                : DetectionResult.Invalid(decoded.Reason!);
            double milliseconds = clock.Elapsed.TotalMilliseconds;
            if (result.Map is not null) overlays?.Write(decoded.Index, decoded.Image!, result, detector.Threshold);

            if (result.Verdict == Verdict.Anomalous) AnomalousCount++;
            if (result.Verdict == Verdict.Invalid) InvalidCount++;
            if (json) WriteJson(paths[decoded.Index], result, milliseconds);
            else WriteText(paths[decoded.Index], result, milliseconds);
        }

        if (json) return;
        int good = images.Count - AnomalousCount - InvalidCount;
        string counted = images.Count == 1 ? "1 image" : $"{images.Count} images";
        output.WriteLine($"{counted}: {good} good, {AnomalousCount} anomalous, {InvalidCount} invalid.");
    }

    /// <summary>The map is used again while images have the same size.</summary>
    private DetectionResult Detect(AnomalyDetector detector, RgbImage image, bool wantsMap)
    {
        if (!wantsMap) return detector.Detect(image.View, null);
        if (_map is null || _map.Width != image.Width || _map.Height != image.Height)
            _map = new AnomalyMap(image.Width, image.Height);
        return detector.Detect(image.View, _map);
    }

    private void WriteText(string path, DetectionResult result, double milliseconds)
    {
        string verdict = result.Verdict.ToString().ToLowerInvariant();
        Color colour = result.Verdict switch
        {
            Verdict.Good => Color.Green,
            Verdict.Anomalous => Color.Red,
            _ => Color.Yellow,
        };
        output.Console.Write(new Text(verdict.PadRight(9), colour));
        // Who could not read a file names it himself.
        string where = result.Reason?.StartsWith(path, StringComparison.Ordinal) == true ? "" : $"{path}: ";
        output.WriteLine(result.Verdict == Verdict.Invalid
            ? $"  {"-",9}  {"-",10}  {"-",6}  {where}{result.Reason}"
            : string.Create(CultureInfo.InvariantCulture,
                $"  {result.Score,9:0.0000}  {result.CalibratedScore,10:0.0000}  {milliseconds,6:0.0}  {path}"));
    }

    private void WriteJson(string path, DetectionResult result, double milliseconds) => output.WriteJson(writer =>
    {
        writer.WriteString("path", path);
        if (result.Verdict == Verdict.Invalid)
        {
            writer.WriteNull("score");
            writer.WriteNull("calibrated");
            writer.WriteNull("anomalous");
        }
        else
        {
            writer.WriteNumber("score", result.Score);
            writer.WriteNumber("calibrated", result.CalibratedScore);
            writer.WriteBoolean("anomalous", result.Verdict == Verdict.Anomalous);
        }

        writer.WriteNumber("ms", Math.Round(milliseconds, 3));
        writer.WriteString("verdict", result.Verdict.ToString().ToLowerInvariant());
        writer.WriteString("reason", result.Reason);
    });
}
