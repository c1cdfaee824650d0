using System.Globalization;
using System.Text;
using EfficientAD.Detection;
using EfficientAD.Evaluation;
using EfficientAD.Imaging;
using EfficientAD.Metrics;

namespace EfficientAD.Cli.Reports;

/// <summary>What a report tells.</summary>
/// <param name="Facts">About model and data, in the order of reading: "Recipe", "paper".</param>
/// <param name="Threshold">The one that the verdicts follow.</param>
/// <param name="ReadImage">Reads the image again; null if that fails.</param>
/// <param name="ReadPixels">Map and masks, as <see cref="Evaluator.Read"/> gives them.</param>
internal sealed record ReportContent(
    IReadOnlyList<(string Name, string Value)> Facts,
    EvaluationResult Result,
    float Threshold,
    Func<ImageEvaluation, RgbImage?> ReadImage,
    Func<ImageEvaluation, PixelSample?> ReadPixels);

/// <summary>report.html: an evaluation for people. One file without scripts or links to others; light or dark as the
/// reader's screen is; fit for print. Large pictures are reduced; an image of 256 x 256 takes about 40 KB.</summary>
internal static class HtmlReport
{
    public static void Write(Stream stream, ReportContent content)
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        using var writer = new StreamWriter(stream, utf8, leaveOpen: true);
        EvaluationResult result = content.Result;
        writer.Write(Markup.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <meta http-equiv="Content-Security-Policy"
              content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"/>
            <title>{result.Category} – anomaly detection report</title>
            <style>
            {new Markup(Style())}</style>
            </head>
            <body>
            <main>
            <header>
            <p class="kicker">Anomaly detection report</p>
            <h1><bdi>{result.Category}</bdi></h1>
            <dl class="facts">{content.Facts.Select(Fact)}</dl>
            </header>
            {Warnings(result)}
            {ReportTables.Summary(result)}
            {Charts(content)}
            {ReportTables.PerDefect(result)}
            {ReportTables.PerMap(result)}
            {ReportTables.Invalid(result)}
            {ReportLegend.ToMarkup(content.Threshold)}

            """));
        WriteGallery(writer, content);
        writer.Write("</main>\n</body>\n</html>\n");
    }

    private static Markup Fact((string Name, string Value) fact) =>
        Markup.Of($"<div><dt>{fact.Name}</dt><dd>{fact.Value}</dd></div>");

    private static Markup Warnings(EvaluationResult result) => result.Warnings.Count == 0 ? default : Markup.Of($"""
        <section class="warnings">
        <h2>Read this first</h2>
        <ul>{result.Warnings.Select(warning => Markup.Of($"<li>{warning}</li>"))}</ul>
        </section>
        """);

    private static Markup Charts(ReportContent content)
    {
        EvaluationResult result = content.Result;
        if (result.Images.All(image => image.Verdict == Verdict.Invalid)) return default;
        var histogram = new ScoreHistogram(result.Images, content.Threshold);
        var figures = new List<Markup> { Figure("Image scores", histogram.ToMarkup()) };
        if (result.Roc is { } roc)
        {
            var chart = new Chart(
                1, 0.2, "False-positive rate (good images rejected)", "True-positive rate (defects found)");
            chart.AddGuide(0, 0, 1, 1);
            chart.AddCurve(roc.Points.Select(point => (roc.FalsePositiveRate(point), roc.TruePositiveRate(point))));
            chart.AddFigure($"{Percent(roc.AreaUnderCurve)} %", "area under the curve");
            double falsePositiveRate = (double)result.FalsePositives / roc.GoodCount;
            chart.AddPoint(falsePositiveRate, (double)result.TruePositives / roc.AnomalousCount, "threshold");
            figures.Add(Figure("ROC of the images", chart.ToMarkup("ROC curve of the images")));
        }
        if (result.RegionOverlap.Count > 0)
        {
            var chart = new Chart(0.3, 0.05, "False-positive rate (pixels)", "Overlap with the defect regions");
            chart.AddGuide(0.05, 0, 0.05, 1);
            chart.AddCurve(result.RegionOverlap.Select(point => (point.FalsePositiveRate, point.Overlap)));
            chart.AddFigure($"{Percent(result.Overall.AuPro30)} %", "AU-PRO, limit 0.3");
            figures.Add(Figure("Per-region overlap", chart.ToMarkup("PRO curve of the pixels")));
        }
        return Markup.Of($"""<section class="charts">{figures}</section>""");

        static Markup Figure(string title, Markup chart) =>
            Markup.Of($"""<figure class="card"><h3>{title}</h3>{chart}</figure>""");
    }

    private static void WriteGallery(StreamWriter writer, ReportContent content)
    {
        int number = 0;
        foreach (GallerySection section in Gallery.Select(content.Result))
        {
            writer.Write(Markup.Of($"""
                <section>
                <h2>{section.Title}</h2>
                <p>{section.Explanation}{(section.Omitted > 0 ? $" {section.Omitted} more are in scores.csv." : "")}</p>
                <div class="gallery">

                """));
            foreach (ImageEvaluation image in section.Images)
            {
                RgbImage? original = content.ReadImage(image);
                PixelSample? pixels = content.ReadPixels(image);
                writer.Write(new ReportPicture(number++, image, original, pixels, content.Threshold).ToMarkup());
            }
            writer.Write("</div>\n</section>\n");
        }
    }

    internal const string Missing = "–";

    /// <summary>A fraction as percent with one digit; 100.0 only if nothing is missing.</summary>
    internal static string Percent(double? fraction) => fraction switch
    {
        null => Missing,
        >= 0.9995 and < 1 => ">99.9",
        _ => (100 * fraction.Value).ToString("0.0", CultureInfo.InvariantCulture),
    };

    private static string Style()
    {
        using Stream stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
