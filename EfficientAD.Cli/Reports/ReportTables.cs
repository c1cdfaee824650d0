using EfficientAD.Detection;
using EfficientAD.Evaluation;
using static EfficientAD.Cli.Reports.HtmlReport;

namespace EfficientAD.Cli.Reports;

/// <summary>The figures of a report.</summary>
internal static class ReportTables
{
    public static Markup Summary(EvaluationResult result)
    {
        MetricSet all = result.Overall;
        var tiles = new List<Markup>
        {
            Tile("Image AUROC", Percent(all.ImageAuroc), "chance that a defective image outscores a good one"),
            Tile("F1 max", Percent(all.F1?.Value), "with the best threshold in hindsight"),
        };
        if (all.PixelAuroc is not null)
        {
            tiles.Add(Tile("Pixel AUROC", Percent(all.PixelAuroc), "chance that a defect’s pixel outscores another"));
            tiles.Add(Tile("AU-PRO", Percent(all.AuPro30), $"limit 0.3; {Percent(all.AuPro05)} with limit 0.05"));
        }
        if (result.LocoMean(metrics => metrics.AuSpro05) is { } overlap)
            tiles.Add(Tile("AU-sPRO", Percent(overlap), "limit 0.05, mean of logical and structural"));

        return Markup.Of($"""
            <section>
            <div class="tiles">{tiles}</div>
            <div class="verdicts card">
            {Share("Defects found", result.TruePositives, all.AnomalousCount, $"{result.FalseNegatives} missed", "bad")}
            {Share("Good passed", result.TrueNegatives, all.GoodCount, $"{result.FalsePositives} rejected", "fine")}
            </div>
            </section>
            """);
    }

    public static Markup PerDefect(EvaluationResult result)
    {
        if (result.PerDefect.Count == 0) return default;
        bool hasMasks = result.Overall.PixelAuroc is not null, isLoco = result.IsLoco && hasMasks;
        return Markup.Of($"""
            <section>
            <h2>By kind of defect</h2>
            <p>Each kind against all good images. Values in percent.</p>
            <div class="card scroll">
            <table>
            <thead><tr><th>Defect</th><th>Images</th><th>Found</th><th>Image AUROC</th><th>F1 max</th>
            {(hasMasks ? new Markup("<th>Pixel AUROC</th><th>AU-PRO 0.3</th><th>AU-PRO 0.05</th>") : default)}
            {(isLoco ? new Markup("<th>AU-sPRO 0.05</th>") : default)}</tr></thead>
            <tbody>{result.PerDefect.Select(defect => Row(defect.Key, defect.Value, Found(defect.Key)))}</tbody>
            <tfoot>{Row("All", result.Overall, result.TruePositives)}</tfoot>
            </table>
            </div>
            </section>
            """);

        int Found(string defect) =>
            result.Images.Count(image => image.Defect == defect && image.Verdict == Verdict.Anomalous);

        Markup Row(string name, MetricSet metrics, int found) => Markup.Of($"""
            <tr><th scope="row"><bdi>{name}</bdi></th><td>{metrics.AnomalousCount}</td><td>{found}</td>
            <td>{Percent(metrics.ImageAuroc)}</td><td>{Percent(metrics.F1?.Value)}</td>
            {(hasMasks ? Cells(metrics.PixelAuroc, metrics.AuPro30, metrics.AuPro05) : default)}
            {(isLoco ? Cells(metrics.AuSpro05) : default)}</tr>
            """);
    }

    /// <summary>What each map achieves alone; nothing where they were not told apart.</summary>
    public static Markup PerMap(EvaluationResult result)
    {
        if (result is not { Local: { } local, Global: { } global }) return default;
        bool hasMasks = result.Overall.PixelAuroc is not null;
        EvaluationResult[] results = [local, global, result];
        return Markup.Of($"""
            <section>
            <h2>By map</h2>
            <p>The local map compares student and teacher patch by patch; the global one student and autoencoder, which
            has seen the whole image. Values in percent.</p>
            <div class="card scroll">
            <table>
            <thead><tr><th>Defect</th><th>Image AUROC, local</th><th>global</th><th>both</th>
            {(hasMasks ? new Markup("<th>AU-PRO 0.3, local</th><th>global</th><th>both</th>") : default)}</tr></thead>
            <tbody>{result.PerDefect.Keys.Select(name => Row(name, of => of.PerDefect[name]))}
            {result.PerGroup.Keys.Select(name => Row(name, of => of.PerGroup[name]))}</tbody>
            <tfoot>{Row("All", of => of.Overall)}</tfoot>
            </table>
            </div>
            </section>
            """);

        Markup Row(string name, Func<EvaluationResult, MetricSet> set) => Markup.Of($"""
            <tr><th scope="row"><bdi>{name}</bdi></th>{Cells([.. results.Select(of => set(of).ImageAuroc)])}
            {(hasMasks ? Cells([.. results.Select(of => set(of).AuPro30)]) : default)}</tr>
            """);
    }

    private static Markup Cells(params double?[] fractions) =>
        Markup.Of($"{fractions.Select(fraction => Markup.Of($"<td>{Percent(fraction)}</td>"))}");

    public static Markup Invalid(EvaluationResult result)
    {
        ImageEvaluation[] invalid = [.. result.Images.Where(image => image.Verdict == Verdict.Invalid)];
        return invalid.Length == 0 ? default : Markup.Of($"""
            <section>
            <h2>Images without a verdict ({invalid.Length})</h2>
            <div class="card scroll">
            <table class="words">
            <thead><tr><th>Image</th><th>Reason</th></tr></thead>
            <tbody>{invalid.Select(Row)}</tbody>
            </table>
            </div>
            </section>
            """);

        static Markup Row(ImageEvaluation image) => Markup.Of($"""
            <tr><th scope="row"><bdi>{image.Name}</bdi></th><td>{image.Reason ?? ""}</td></tr>
            """);
    }

    private static Markup Tile(string name, string value, string explanation) => Markup.Of($"""
        <div class="tile card"><span class="label">{name}</span>
        <span class="value">{value}<small>{(value == Missing ? "" : " %")}</small></span>
        <span class="hint">{explanation}</span></div>
        """);

    private static Markup Share(string name, int right, int count, string wrong, string kind) => Markup.Of($"""
        <div><span class="label">{name}</span><span class="count">{right} of {count}</span>
        <span class="bar"><span class="{kind}" style="width:{100.0 * right / Math.Max(1, count)}%"></span></span>
        <span class="hint">{wrong} at the model’s threshold</span></div>
        """);
}
