using System.Text.Json;
using EfficientAD.Cli;

namespace EfficientAD.Tests.Cli;

[Collection("Cli")]
public class EvaluateTests(TrainedModel trained)
{
    private Task<CliRun> EvaluateAsync(string folder, params string[] more) =>
        CliRun.RunAsync(["evaluate", "--model", trained.Model, "--data", trained.Data, "--out", folder, .. more]);

    [Fact]
    public async Task Folder_HoldsMetricsScoresMapsAndReport()
    {
        string folder = trained.New("evaluation");
        CliRun run = await EvaluateAsync(folder);
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        Assert.Contains("scratch", run.Output);
        Assert.Contains("AU-PRO", run.Output);
        Assert.All(run.Lines, line => Assert.InRange(line.Length, 0, Math.Max(80, folder.Length + 30)));

        JsonElement metrics = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "metrics.json"))).RootElement;
        foreach (string key in new[] { "image_auroc", "pixel_auroc", "au_pro_0.3", "au_pro_0.05", "f1_max" })
        {
            Assert.InRange(metrics.GetProperty(key).GetDouble(), 0, 1);
            Assert.InRange(metrics.GetProperty("local_map").GetProperty(key).GetDouble(), 0, 1);
            Assert.InRange(metrics.GetProperty("global_map").GetProperty(key).GetDouble(), 0, 1);
        }

        int images = TrainedModel.TestGood + TrainedModel.TestScratch;
        Assert.Equal(1 + images, File.ReadAllLines(Path.Combine(folder, "scores.csv")).Length);
        Assert.Equal(TrainedModel.TestScratch, CountMaps("scratch"));
        Assert.Equal(TrainedModel.TestGood, CountMaps("good"));
        string report = File.ReadAllText(Path.Combine(folder, "report.html"));
        Assert.Contains("2 steps on 5 good images of plate", report);
        Assert.EndsWith("</html>\n", report);

        CliRun again = await EvaluateAsync(folder, "--json");  // our own folder: taken again
        Assert.Equal((ExitCode.Success, ""), (again.Code, again.Error));
        Assert.Equal(metrics.GetProperty("image_auroc").GetDouble(), again.Json.GetProperty("image_auroc").GetDouble());

        int CountMaps(string defect) => Directory.GetFiles(Path.Combine(folder, "maps", defect), "*.tiff").Length;
    }

    [Fact]
    public async Task CorruptImage_IsNamedAndLeftOut()
    {
        string data = trained.New("damaged");
        foreach (string file in Directory.GetFiles(trained.Data, "*.png", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(data, Path.GetRelativePath(trained.Data, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        string cut = Path.Combine(data, "test/scratch/001.png");
        File.WriteAllBytes(cut, File.ReadAllBytes(cut)[..500]);
        CliRun run = await CliRun.RunAsync(
            "evaluate", "--model", trained.Model, "--data", data, "--out", trained.New("damaged-out"), "--json");
        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("test/scratch/001.png", run.Error);
        Assert.Equal(1, run.Json.GetProperty("counts").GetProperty("invalid").GetInt32());
    }

    [Fact]
    public async Task FolderOfTheUsers_IsNotTouched()
    {
        string folder = Directory.CreateDirectory(trained.New("precious")).FullName;
        File.WriteAllText(Path.Combine(folder, "thesis.txt"), "mine");
        CliRun run = await EvaluateAsync(folder);
        Assert.Equal(ExitCode.Failure, run.Code);
        Assert.Contains("thesis.txt", run.Error);
        Assert.Equal("thesis.txt", Path.GetFileName(Assert.Single(Directory.GetFileSystemEntries(folder))));
    }

    [Fact]
    public async Task DataWithoutTest_IsRefused()
    {
        CliRun run = await CliRun.RunAsync(
            "evaluate", "--model", trained.Model, "--data", trained.TestImages, "--out", trained.New("untested"));
        Assert.Equal(ExitCode.Failure, run.Code);
        Assert.Contains("no test images", run.Error);
        Assert.False(Directory.Exists(trained.New("untested")));
    }
}
