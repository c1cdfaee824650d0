namespace EfficientAD.Cli.Reports;

/// <summary>Elements of SVG; report.css gives each class its look.</summary>
internal static class Svg
{
    /// <param name="anchor">"start", "middle" or "end": which part of the text lies at x.</param>
    public static Markup Text(string kind, double x, double y, string anchor, string text) =>
        Markup.Of($"""<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>""");

    /// <summary>A text that reads upwards, centred on a point.</summary>
    public static Markup UprightText(string kind, double x, double y, string text) => Markup.Of(
        $"""<text class="{kind}" transform="translate({x} {y}) rotate(-90)" text-anchor="middle">{text}</text>""");

    public static Markup Line(string kind, double x1, double y1, double x2, double y2) =>
        Markup.Of($"""<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>""");
}
