using System.Globalization;

namespace EfficientAD.Cli.Reports;

/// <summary>How to read the pictures of a report: the colour bar with its scores, and the two kinds of line.</summary>
internal static class ReportLegend
{
    private const int Stops = 32;
    private const double Left = 16, BarWidth = 420, BarTop = 8, BarHeight = 14;

    private static readonly double[] Multiples = [0.5, 1, 2, 4, 9];

    public static Markup ToMarkup(float threshold)
    {
        var scale = new HeatmapScale(threshold);
        return Markup.Of($"""
            <section class="legend">
            <h2>Pictures</h2>
            <div class="card">
            <svg class="bar" viewBox="0 0 {BarWidth + 2 * Left} 44" role="img" aria-label="Colour scale">
            <defs><linearGradient id="scale">{Enumerable.Range(0, Stops + 1).Select(Stop)}</linearGradient></defs>
            <rect x="{Left}" y="{BarTop}" width="{BarWidth}" height="{BarHeight}" rx="3" fill="url(#scale)"/>
            {Ticks(scale)}
            </svg>
            <p>{Key("truth")} ground truth {Key("above")} pixels above the threshold</p>
            <p class="hint">From left to right: the image, its ground truth, its anomaly map. One scale for all: a
            pixel’s score s has the colour at s / (s + threshold), and low scores leave the image as it is.</p>
            </div>
            </section>
            """);
    }

    private static Markup Key(string line) => Markup.Of($"""
        <svg class="key" viewBox="0 0 24 10"><path class="halo" d="M1 5H23"/><path class="{line}" d="M1 5H23"/></svg>
        """);

    private static Markup Stop(int i)
    {
        double intensity = (double)i / Stops;
        (byte r, byte g, byte b) = ColourMap.At(intensity);
        double opacity = HeatmapScale.Opacity(intensity) / HeatmapScale.Opacity(1);
        return Markup.Of($"""
            <stop offset="{intensity:0.###}" stop-color="rgb({r},{g},{b})" stop-opacity="{opacity:0.###}"/>
            """);
    }

    private static IEnumerable<Markup> Ticks(HeatmapScale scale)
    {
        foreach (double multiple in Multiples)
        {
            double intensity = multiple / (1 + multiple), x = Left + BarWidth * intensity;
            string score = scale.Score(intensity).ToString("0.###", CultureInfo.InvariantCulture);
            yield return Svg.Line("axis", x, BarTop + BarHeight, x, BarTop + BarHeight + 5);
            yield return Svg.Text(
                "tick", x, BarTop + BarHeight + 17, "middle", multiple == 1 ? $"threshold {score}" : score);
        }
    }
}
