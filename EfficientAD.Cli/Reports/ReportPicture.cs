using EfficientAD.Detection;
using EfficientAD.Evaluation;
using EfficientAD.Imaging;
using EfficientAD.Metrics;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.PixelFormats;

namespace EfficientAD.Cli.Reports;

/// <summary>One image of the report: original, ground truth and heatmap side by side.</summary>
/// <param name="number">Makes the names within the page unique.</param>
/// <param name="image">Null if it cannot be read any more.</param>
/// <param name="pixels">Null if there is no map.</param>
internal sealed class ReportPicture(
    int number, ImageEvaluation evaluation, RgbImage? image, PixelSample? pixels, float threshold)
{
    private const int LongestSide = 384;

    private static readonly JpegEncoder Encoder = new() { Quality = 88, ColorType = JpegColorType.YCbCrRatio444 };
    private static readonly Configuration Configuration = new() { MaxDegreeOfParallelism = 1 };

    public Markup ToMarkup() => Markup.Of($"""
        <figure class="card">
        <div class="panels">{Panels()}</div>
        <figcaption>
        <span class="name" title="{evaluation.Name}"><bdi>{evaluation.Name}</bdi></span>
        <span class="score">{evaluation.Score:0.000}</span>
        {Chip()}
        </figcaption>
        </figure>

        """);

    private Markup Chip() => evaluation switch
    {
        { IsFalseNegative: true } => new("""<span class="chip wrong">good &#8211; missed</span>"""),
        { IsFalsePositive: true } => new("""<span class="chip wrong">anomalous &#8211; false alarm</span>"""),
        { Verdict: Verdict.Anomalous } => new("""<span class="chip bad">anomalous</span>"""),
        _ => new("""<span class="chip fine">good</span>"""),
    };

    private IEnumerable<Markup> Panels()
    {
        if (image is null)
        {
            yield return Placeholder("The image cannot be read any more.");
            yield break;
        }
        string id = $"image{number}";
        yield return Panel("original", Picture(id, image));

        string truth = pixels is null ? "" : string.Concat(pixels.Masks.Select(mask =>
            Contours.Trace(mask.Width, mask.Height, i => mask.Pixels[i] == 0 ? 0 : 1, 0.5)));
        yield return truth != ""
            ? Panel("ground truth", Markup.Of($"""<use href="#{id}"/>{Line($"truth{number}", truth, "truth")}"""))
            : Placeholder(evaluation.IsGood ? "Good: nothing to mark" : "No mask");

        if (pixels is null || (pixels.Map.Width, pixels.Map.Height) != (image.Width, image.Height))
        {
            yield return Placeholder("No map");
            yield break;
        }
        RgbImage overlay = Overlay.Render(image, pixels.Map, threshold, contour: false);
        string above = Contours.Trace(image.Width, image.Height, i => pixels.Map.Values[i], threshold);
        Markup line = Line($"above{number}", above, "above");
        yield return Panel("heatmap", Markup.Of($"{Picture($"map{number}", overlay)}{line}"));
    }

    private Markup Panel(string name, Markup content) => Markup.Of($"""
        <svg viewBox="0 0 {image!.Width} {image.Height}" role="img" aria-label="{name} of {evaluation.Name}">
        {content}</svg>
        """);

    private static Markup Picture(string id, RgbImage image) => Markup.Of(
        $"""<image id="{id}" width="{image.Width}" height="{image.Height}" href="{Jpeg(image)}"/>""");

    private static Markup Placeholder(string text) => Markup.Of($"""<div class="placeholder">{text}</div>""");

    /// <summary>The same path twice: dark and wide, then bright, to be seen on any ground.</summary>
    private static Markup Line(string id, string path, string kind) => path == "" ? default : Markup.Of($"""
        <defs><path id="{id}" d="{path}"/></defs><use class="halo" href="#{id}"/><use class="{kind}" href="#{id}"/>
        """);

    private static Markup Jpeg(RgbImage image)
    {
        double scale = Math.Min(1, (double)LongestSide / Math.Max(image.Width, image.Height));
        (int width, int height) = (Math.Max(1, (int)(image.Width * scale)), Math.Max(1, (int)(image.Height * scale)));
        RgbImage small = scale < 1 ? PillowResize.Resize(image.View, height, width) : image;
        using Image<Rgb24> jpeg = Image.LoadPixelData<Rgb24>(Configuration, small.Pixels, width, height);
        using var stream = new MemoryStream();
        jpeg.Save(stream, Encoder);
        return new("data:image/jpeg;base64," + Convert.ToBase64String(stream.GetBuffer(), 0, (int)stream.Length));
    }
}
