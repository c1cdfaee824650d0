using System.Text.Json;
using EfficientAD.Cli;
using EfficientAD.Imaging;

namespace EfficientAD.Tests.Cli;

[Collection("Cli")]
public class PredictTests(TrainedModel trained)
{
    private Task<CliRun> PredictAsync(params string[] arguments) =>
        CliRun.RunAsync(["predict", "--model", trained.Model, .. arguments]);

    [Theory]
    [InlineData("1e9", ExitCode.Success, "good")]
    [InlineData("-1e9", ExitCode.Anomalous, "anomalous")]
    public async Task ExitCode_FollowsTheVerdicts(string threshold, int code, string verdict)
    {
        CliRun run = await PredictAsync(trained.TestImages, "--threshold", threshold);
        Assert.Equal((code, ""), (run.Code, run.Error));
        Assert.Equal(TrainedModel.TestGood, run.Lines.Count(line => line.Split(' ')[0] == verdict));
        Assert.StartsWith("3 images: ", run.Lines[^1]);
    }

    [Fact]
    public async Task CorruptImage_IsInvalidAndTheRestGoesOn()
    {
        string folder = Directory.CreateDirectory(trained.New("mixed")).FullName;
        byte[] png = File.ReadAllBytes(Path.Combine(trained.TestImages, "000.png"));
        File.WriteAllBytes(Path.Combine(folder, "a.png"), png);
        File.WriteAllBytes(Path.Combine(folder, "b.png"), png[..(png.Length / 2)]);
        var black = new RgbImage(TrainedModel.ImageSize, TrainedModel.ImageSize);
        ImageWriter.WritePng(Path.Combine(folder, "c.png"), black);
        ImageWriter.WritePng(Path.Combine(folder, "d.png"), new RgbImage(40, 50));
        File.WriteAllBytes(Path.Combine(folder, "e.png"), png);
        string missing = trained.New("missing.png");

        CliRun run = await PredictAsync(folder, missing, "--json", "--threshold", "1e9");
        Assert.Equal((ExitCode.Invalid, ""), (run.Code, run.Error));
        JsonElement[] lines = run.JsonLines;
        Assert.Equal(
            ["a.png", "b.png", "c.png", "d.png", "e.png", "missing.png"],
            lines.Select(line => Path.GetFileName(line.GetProperty("path").GetString())));
        Assert.Equal(
            ["good", "invalid", "invalid", "invalid", "good", "invalid"],
            lines.Select(line => line.GetProperty("verdict").GetString()));
        Assert.Contains("b.png", lines[1].GetProperty("reason").GetString());
        Assert.Contains("blank", lines[2].GetProperty("reason").GetString());
        Assert.Contains("40 x 50", lines[3].GetProperty("reason").GetString());
        Assert.Contains("missing.png", lines[5].GetProperty("reason").GetString());
        Assert.All([lines[1], lines[2], lines[3], lines[5]], line =>
        {
            Assert.Equal(JsonValueKind.Null, line.GetProperty("score").ValueKind);
            Assert.Equal(JsonValueKind.Null, line.GetProperty("anomalous").ValueKind);
        });
        Assert.False(lines[0].GetProperty("anomalous").GetBoolean());
        Assert.Equal(lines[0].GetProperty("score").GetSingle(), lines[4].GetProperty("score").GetSingle());
        Assert.InRange(lines[0].GetProperty("calibrated").GetSingle(), 0, 1);
        Assert.True(lines[0].GetProperty("ms").GetDouble() > 0);
    }

    [Fact]
    public async Task AnySize_AcceptsAnotherSize()
    {
        string path = trained.New("large.png");
        RgbImage image = new(90, 70);
        for (int i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = (byte)(i * 7);
        ImageWriter.WritePng(path, image);
        Assert.Equal(ExitCode.Invalid, (await PredictAsync(path)).Code);
        Assert.Equal(ExitCode.Success, (await PredictAsync(path, "--any-size", "--threshold", "1e9")).Code);
    }

    [Fact]
    public async Task Overlays_AreWrittenBesideNothingOfTheUsers()
    {
        string folder = trained.New("overlays"), test = Path.Combine(trained.Data, "test");
        CliRun run = await PredictAsync(test, Path.Combine(trained.TestImages, "000.png"), "--out", folder);
        Assert.NotEqual(ExitCode.Failure, run.Code);
        string[] names =
            ["good/000_overlay.png", "good/002_overlay.png", "scratch/001_overlay.png", "000_overlay.png"];
        foreach (string name in names)
        {
            RgbImage overlay = ImageReader.Default.Read(Path.Combine(folder, name));
            Assert.Equal((TrainedModel.ImageSize, TrainedModel.ImageSize), (overlay.Width, overlay.Height));
        }

        CliRun again = await PredictAsync(Path.Combine(folder, "good"), "--out", folder);
        Assert.Equal(ExitCode.Usage, again.Code);
        Assert.Contains("Name another folder", again.Error);
    }

    [Fact]
    public async Task OverlaysOfEqualNames_AreNumbered()
    {
        string folder = trained.New("numbered");
        string test = Path.Combine(trained.Data, "test");
        string[] images = [Path.Combine(test, "good/000.png"), Path.Combine(test, "scratch/000.png")];
        CliRun run = await PredictAsync([.. images, "--out", folder]);
        Assert.NotEqual(ExitCode.Failure, run.Code);
        Assert.Equal(
            ["000_overlay-2.png", "000_overlay.png"],
            Directory.GetFiles(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Interruption_EndsTheStream()
    {
        CliRun run = await CliRun.InterruptAsync(
            "000.png", "predict", "--model", trained.Model, trained.TestImages, "--json");
        Assert.Equal(ExitCode.Cancelled, run.Code);
        Assert.Contains("Interrupted", run.Error);
    }

    [Fact]
    public async Task DamagedModel_IsNamedAndNothingIsJudged()
    {
        string cut = trained.New("cut.safetensors");
        File.WriteAllBytes(cut, File.ReadAllBytes(trained.Model)[..100_000]);
        foreach (string model in new[] { cut, trained.Teacher, trained.New("missing.safetensors") })
        {
            CliRun run = await CliRun.RunAsync("predict", "--model", model, trained.TestImages);
            Assert.Equal((ExitCode.Failure, ""), (run.Code, run.Output));
            Assert.Contains(model, run.Error);
        }
    }

    [Theory]
    [InlineData("bare", "holds no images")]
    [InlineData("*.tiff", "No image matches")]
    public async Task NothingToJudge_IsAnError(string images, string expected)
    {
        Directory.CreateDirectory(trained.New("bare"));
        CliRun run = await PredictAsync(trained.New(images));
        Assert.Equal((ExitCode.Failure, ""), (run.Code, run.Output));
        Assert.Contains(expected, run.Error);
    }
}
