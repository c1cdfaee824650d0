using System.Globalization;
using EfficientAD.Detection;
using EfficientAD.Evaluation;

namespace EfficientAD.Cli.Reports;

/// <summary>How the scores of good and of anomalous images lie about the threshold: two histograms, one axis.</summary>
internal sealed class ScoreHistogram
{
    private const int Bins = 36;
    private const double Left = 46, Top = 14, PlotWidth = 280, RowHeight = 103, Gap = 24, Margin = 14, Bottom = 44;
    private const double Width = Left + PlotWidth + Margin, Base = Top + 2 * RowHeight + Gap, Height = Base + Bottom;

    // From this ratio of the largest score to the smallest on, most of a linear axis would be empty.
    private const double LogarithmicFrom = 12;

    private readonly float _threshold;
    private readonly float[] _good, _anomalous;
    private readonly bool _isLogarithmic;
    private readonly double _low, _high;  // of the axis: scores, or their logarithms

    public ScoreHistogram(IEnumerable<ImageEvaluation> images, float threshold)
    {
        ImageEvaluation[] valid = [.. images.Where(image => image.Verdict != Verdict.Invalid)];
        _threshold = threshold;
        _good = [.. valid.Where(image => image.IsGood).Select(image => image.Score)];
        _anomalous = [.. valid.Where(image => !image.IsGood).Select(image => image.Score)];

        double smallest = valid.Select(image => image.Score).Append(threshold).Min();
        double largest = valid.Select(image => image.Score).Append(threshold).Max();
        _isLogarithmic = smallest > 0 && largest / smallest > LogarithmicFrom;
        (_low, _high) = (Axis(smallest), Axis(largest));
        double margin = _high > _low ? 0.04 * (_high - _low) : 0.5;
        (_low, _high) = (_low - margin, _high + margin);

        // The threshold becomes a border between two bars: what is right and what is wrong never share one.
        double bin = (_high - _low) / Bins;
        double shift = Math.Ceiling((Axis(threshold) - _low) / bin) * bin - (Axis(threshold) - _low);
        (_low, _high) = (_low - shift, _high - shift);
    }

    public Markup ToMarkup() => Markup.Of($"""
        <svg class="chart" viewBox="0 0 {Width} {Height}" role="img" aria-label="Histogram of the image scores">
        {Row(_good, Top, "good")}
        {Row(_anomalous, Top + RowHeight + Gap, "anomalous")}
        {Ticks().Select(score => Svg.Line("axis", X(score), Base, X(score), Base + 4))}
        {Ticks().Select(score => Svg.Text("tick", X(score), Base + 16, "middle", Number(score)))}
        {Svg.Line("threshold", X(_threshold), Top - 6, X(_threshold), Base)}
        {ThresholdText($"threshold {Number(_threshold)}")}
        {Svg.Text("title", Left + PlotWidth / 2, Height - 6, "middle", Title)}
        </svg>
        """);

    private string Title => _isLogarithmic ? "Image score (logarithmic)" : "Image score";

    private Markup ThresholdText(string text) => X(_threshold) > Left + PlotWidth / 2
        ? Svg.Text("note", X(_threshold) - 6, Top + 4, "end", text)
        : Svg.Text("note", X(_threshold) + 6, Top + 4, "start", text);

    private Markup Row(float[] scores, double top, string kind)
    {
        var counts = new int[Bins];
        foreach (float score in scores)
            counts[Math.Clamp((int)((Axis(score) - _low) / (_high - _low) * Bins), 0, Bins - 1)]++;
        int most = Math.Max(1, counts.Max());
        double baseline = top + RowHeight;
        return Markup.Of($"""
            <g class="{kind}">{counts.Select(Bar)}</g>
            {Svg.Line("axis", Left, baseline, Left + PlotWidth, baseline)}
            {Svg.Text("tick", Left - 7, baseline + 3, "end", "0")}
            {Svg.Text("tick", Left - 7, top + 18, "end", Number(most))}
            {Svg.UprightText("title", 12, top + RowHeight / 2, $"{kind} ({scores.Length})")}
            """);

        Markup Bar(int count, int bin)
        {
            if (count == 0) return default;
            double width = PlotWidth / Bins, height = (RowHeight - 14) * count / most;
            double x = Left + bin * width + 0.5, y = baseline - height;
            return Markup.Of($"""<rect x="{x}" y="{y}" width="{width - 1}" height="{height}"/>""");
        }
    }

    /// <summary>Round numbers on the axis: 1, 2, 5 of each power of ten, or multiples of one of them.</summary>
    private IEnumerable<double> Ticks()
    {
        if (_isLogarithmic)
        {
            double decades = (_high - _low) / Math.Log(10);
            double[] steps = decades > 3 ? [1] : decades > 1.7 ? [1, 3] : [1, 2, 5];
            return Enumerable.Range(-12, 25)
                .SelectMany(power => steps.Select(step => step * Math.Pow(10, power)))
                .Where(score => Axis(score) >= _low && Axis(score) <= _high);
        }
        double interval = Math.Pow(10, Math.Floor(Math.Log10((_high - _low) / 3)));
        interval *= (_high - _low) / interval > 12 ? 5 : (_high - _low) / interval > 6 ? 2 : 1;
        int first = (int)Math.Ceiling(_low / interval), last = (int)Math.Floor(_high / interval);
        return Enumerable.Range(first, last - first + 1).Select(i => i * interval);
    }

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    private double Axis(double score) => _isLogarithmic ? Math.Log(score) : score;

    private double X(double score) => Left + PlotWidth * (Axis(score) - _low) / (_high - _low);
}
