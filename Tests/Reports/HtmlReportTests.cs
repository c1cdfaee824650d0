using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using EfficientAD.Cli.Reports;
using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Evaluation;
using EfficientAD.Imaging;

namespace EfficientAD.Tests.Reports;

public sealed class HtmlReportTests : IDisposable
{
    private const float Threshold = 0.4f;
    private const string Hostile = "<script>alert('x')</script>\" onload=\"&";

    private readonly string _folder = Directory.CreateTempSubdirectory("efficientad-").FullName;
    private Evaluator? _evaluator;
    private string _category = "part";

    public void Dispose()
    {
        _evaluator?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Page_IsOneWellFormedFileWithoutScriptsOrLinks()
    {
        AddOrdinary();
        string html = Write();

        XDocument page = Parse(html);
        Assert.Empty(page.Descendants("script"));
        Assert.Empty(page.Descendants("link"));
        Assert.All(
            page.Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "href" or "src"),
            attribute => Assert.Matches("^(#|data:image/jpeg;)", attribute.Value));
        Assert.DoesNotContain("http:", html, StringComparison.Ordinal);
        Assert.DoesNotContain("url(http", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Identifiers_AreUnique_AndEveryReferenceHasItsTarget()
    {
        AddOrdinary();
        XDocument page = Parse(Write());
        string[] ids = [.. page.Descendants().Attributes("id").Select(id => id.Value)];

        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(page.Descendants("use").Attributes("href"), href => Assert.Contains(href.Value[1..], ids));
    }

    [Fact]
    public void NamesFromOutside_StayText()
    {
        _category = Hostile;
        Add("good", "000", 0.1f);
        Add(Hostile, "000", 0.9f);
        Evaluator.Add(Sample("good", Hostile.Replace("/", "")), DetectionResult.Invalid(Hostile));
        string html = Write(facts: [(Hostile, Hostile)]);

        XDocument page = Parse(html);
        Assert.Empty(page.Descendants("script"));
        Assert.Empty(page.Descendants().Attributes("onload"));
        Assert.Equal(Hostile, page.Descendants("h1").Single().Value);
        Assert.Contains(page.Descendants("dd"), dd => dd.Value == Hostile);
        Assert.Contains(page.Descendants("th"), th => th.Value == Hostile);
    }

    [Fact]
    public void Figures_AreThoseOfTheEvaluation()
    {
        AddOrdinary();
        XDocument page = Parse(Write());
        XElement[] tiles = [.. page.Descendants("div").Where(div => IsOfClass(div, "tile"))];

        EvaluationResult result = Evaluator.Complete();
        Assert.StartsWith(
            $"Image AUROC {Percent(result.Overall.ImageAuroc)} %", Words(tiles[0].Value), StringComparison.Ordinal);
        Assert.StartsWith(
            $"AU-PRO {Percent(result.Overall.AuPro30)} %", Words(tiles[3].Value), StringComparison.Ordinal);
        string[] all = [.. page.Descendants("tfoot").Descendants("td").Select(cell => cell.Value)];
        Assert.Equal(["3", "2", Percent(result.Overall.ImageAuroc), Percent(result.Overall.F1?.Value)], all[..4]);
        Assert.Contains(page.Descendants("text"), text => text.Value == "threshold 0.4");
    }

    [Fact]
    public void Mistakes_ComeFirst_AndNoImageAppearsTwice()
    {
        AddOrdinary();
        IReadOnlyList<GallerySection> sections = Gallery.Select(Evaluator.Complete());

        Assert.Equal(
            ["Missed defects (1)", "False alarms (1)", "Defect: scratch", "Good images"],
            sections.Select(section => section.Title));
        Assert.Equal(["test/scratch/002.png"], sections[0].Images.Select(image => image.Name));
        Assert.Equal(["test/good/001.png"], sections[1].Images.Select(image => image.Name));
        string[] names = [.. sections.SelectMany(section => section.Images).Select(image => image.Name)];
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void ManyImages_AreReducedToTheExtremes()
    {
        for (int i = 0; i < 100; i++)
            Add("good", $"{i:000}", 0.5f + 0.001f * i);  // all wrong
        for (int i = 0; i < 20; i++)
            Add("scratch", $"{i:000}", 0.5f + 0.01f * i);
        IReadOnlyList<GallerySection> sections = Gallery.Select(Evaluator.Complete());

        Assert.Equal((60, 40), (sections[0].Images.Count, sections[0].Omitted));
        Assert.Equal("test/good/099.png", sections[0].Images[0].Name);
        Assert.Equal(
            ["019", "018", "017", "002", "001", "000"],
            sections[1].Images.Select(image => Path.GetFileNameWithoutExtension(image.Name)));
    }

    [Fact]
    public void InvalidImages_AreListed_WithAWarning()
    {
        AddOrdinary();
        Evaluator.Add(Sample("scratch", "003"), DetectionResult.Invalid("The file is cut."));
        XDocument page = Parse(Write());

        Assert.Contains(page.Descendants("li"), li => li.Value.Contains("1 of 6 images", StringComparison.Ordinal));
        Assert.Contains(page.Descendants("td"), td => td.Value == "The file is cut.");
    }

    [Fact]
    public void DegenerateSets_GiveAPageToo()
    {
        Parse(Write());  // nothing at all

        Add("good", "000", 0.1f);
        Assert.Single(Parse(Write()).Descendants("svg"), IsChart);  // one class: no ROC, no PRO

        Evaluator.Add(Sample("good", "001"), new DetectionResult(Verdict.Good, -3, 0, null, null));  // no map
        Parse(Write());
        Assert.Contains("cannot be read", Write(readImage: _ => null), StringComparison.Ordinal);
    }

    [Fact]
    public void OnlyInvalidImages_GiveAPageToo()
    {
        Evaluator.Add(Sample("good", "000"), DetectionResult.Invalid("The file is cut."));

        Assert.DoesNotContain(Parse(Write()).Descendants("svg"), IsChart);
    }

    [Fact]
    public void LargePictures_AreReduced()
    {
        Evaluator.Add(Sample("good", "000"), new(Verdict.Good, 0.1f, 0.1f, new AnomalyMap(900, 600), null));
        XDocument page = Parse(Write(readImage: _ => new RgbImage(900, 600)));

        string href = page.Descendants("image").First().Attribute("href")!.Value;
        byte[] jpeg = Convert.FromBase64String(href[(href.IndexOf(',') + 1)..]);
        RgbImage picture = ImageReader.Default.Decode(jpeg, "picture");
        Assert.Equal((384, 256), (picture.Width, picture.Height));
    }

    private Evaluator Evaluator => _evaluator ??=
        new(new AnomalyDataset(_category, _folder, DatasetLayout.MvtecAd, [], [], []), _ => Mask(), _folder);

    /// <summary>Two good images, one of them wrong, and three anomalous ones, one of them wrong.</summary>
    private void AddOrdinary()
    {
        Add("good", "000", 0.1f);
        Add("good", "001", 0.6f);
        Add("scratch", "000", 0.9f);
        Add("scratch", "001", 25);
        Add("scratch", "002", 0.3f);
    }

    private void Add(string defect, string name, float score)
    {
        var map = new AnomalyMap(8, 8);
        map.Values[8 * 3 + 4] = score;
        Verdict verdict = score > Threshold ? Verdict.Anomalous : Verdict.Good;
        Evaluator.Add(Sample(defect, name), new DetectionResult(verdict, score, 0, map, null));
    }

    private TestSample Sample(string defect, string name) => new(
        Path.Combine(_folder, "test", defect, name + ".png"), defect, defect == "good" ? [] : ["mask.png"]);

    private static GreyImage Mask()
    {
        var mask = new GreyImage(8, 8);
        mask.Pixels.AsSpan(8 * 3 + 4, 3).Fill(255);
        return mask;
    }

    private string Write(
        IReadOnlyList<(string Name, string Value)>? facts = null, Func<ImageEvaluation, RgbImage?>? readImage = null)
    {
        using var stream = new MemoryStream();
        HtmlReport.Write(stream, new(
            facts ?? [], Evaluator.Complete(), Threshold, readImage ?? (_ => new RgbImage(8, 8)), Evaluator.Read));
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The page is HTML that is also well-formed XML, so that a missing end or a stray quote shows.</summary>
    private static XDocument Parse(string html)
    {
        using var reader = XmlReader.Create(
            new StringReader(html), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader);
    }

    private static bool IsChart(XElement svg) => IsOfClass(svg, "chart");

    private static bool IsOfClass(XElement element, string name) =>
        element.Attribute("class")?.Value.Split(' ').Contains(name) == true;

    private static string Words(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string Percent(double? fraction) =>
        (100 * fraction!.Value).ToString("0.0", CultureInfo.InvariantCulture);
}
