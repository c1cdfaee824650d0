using System.Globalization;
using System.Text;

namespace EfficientAD.Cli.Reports;

/// <summary>A plot area with axes, drawn in SVG.</summary>
/// <param name="xMax">The x axis runs from 0 to here; the y axis from 0 to 1.</param>
/// <param name="xTick">From one label of the x axis to the next.</param>
internal sealed class Chart(double xMax, double xTick, string xTitle, string yTitle)
{
    private const double Left = 46, Top = 14, PlotWidth = 280, PlotHeight = 230, Margin = 14, Bottom = 44;
    private const double Width = Left + PlotWidth + Margin, Height = Top + PlotHeight + Bottom;
    private const double Right = Left + PlotWidth, YTick = 0.2;

    private readonly List<Markup> _marks = [];

    /// <summary>A line with a light area under it.</summary>
    public void AddCurve(IEnumerable<(double X, double Y)> points)
    {
        var text = new StringBuilder();
        double last = Left;
        foreach ((double x, double y) in points)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length == 0 ? 'M' : 'L')}{X(x):0.##} {Y(y):0.##}");
            last = X(x);
        }
        string line = text.ToString();
        _marks.Add(Markup.Of($"""<path class="area" d="{line}L{last} {Y(0)}L{Left} {Y(0)}Z"/>"""));
        _marks.Add(Markup.Of($"""<path class="curve" d="{line}"/>"""));
    }

    public void AddGuide(double x0, double y0, double x1, double y1) =>
        _marks.Add(Svg.Line("guide", X(x0), Y(y0), X(x1), Y(y1)));

    /// <summary>A dot with a text on the side where there is room.</summary>
    public void AddPoint(double x, double y, string text)
    {
        double height = Math.Min(Y(y) + 16, Y(0) - 8);
        _marks.Add(Markup.Of($"""<circle class="point" cx="{X(x)}" cy="{Y(y)}" r="4.5"/>"""));
        _marks.Add(x > 0.55 * xMax
            ? Svg.Text("note", X(x) - 9, height, "end", text)
            : Svg.Text("note", X(x) + 9, height, "start", text));
    }

    /// <summary>A figure in the lower right corner, where curves worth showing leave room.</summary>
    public void AddFigure(string figure, string explanation)
    {
        _marks.Add(Svg.Text("figure", Right - 12, Y(0) - 34, "end", figure));
        _marks.Add(Svg.Text("note", Right - 12, Y(0) - 16, "end", explanation));
    }

    public Markup ToMarkup(string label) => Markup.Of($"""
        <svg class="chart" viewBox="0 0 {Width} {Height}" role="img" aria-label="{label}">
        {Values(YTick, 1).Select(value => Svg.Line("grid", Left, Y(value), Right, Y(value)))}
        {Values(YTick, 1).Select(value => Svg.Text("tick", Left - 7, Y(value) + 3.5, "end", Number(value)))}
        {Values(xTick, xMax).Select(value => Svg.Text("tick", X(value), Y(0) + 16, "middle", Number(value)))}
        {Svg.Line("axis", Left, Y(0), Right, Y(0))}
        {_marks}
        {Svg.Text("title", Left + PlotWidth / 2, Height - 6, "middle", xTitle)}
        {Svg.UprightText("title", 12, Top + PlotHeight / 2, yTitle)}
        </svg>
        """);

    private static IEnumerable<double> Values(double step, double last) =>
        Enumerable.Range(0, (int)Math.Round(last / step) + 1).Select(i => i * step);

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private double X(double x) => Left + PlotWidth * x / xMax;

    private static double Y(double y) => Top + PlotHeight * (1 - y);
}
