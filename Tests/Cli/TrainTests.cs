using System.Text.Json;
using EfficientAD.Cli;
using EfficientAD.Models;

namespace EfficientAD.Tests.Cli;

[Collection("Cli")]
public class TrainTests(TrainedModel trained)
{
    [Fact]
    public async Task Start_SaysWhatDeviatesFromTheRecipe()
    {
        string model = trained.New("said.safetensors");
        CliRun run = await CliRun.RunAsync(trained.Train(model, "--map-order", "aligned", "--batch", "2"));
        Assert.Equal(ExitCode.Success, run.Code);
        string deviations = Assert.Single(run.Lines, line => line.StartsWith("deviations", StringComparison.Ordinal));
        Assert.Contains("2 steps instead of 70000", deviations);
        Assert.Contains("rendered penalty images", deviations);
        Assert.Contains("input 64 x 64", deviations);
        Assert.Contains("batch 2 instead of 1", deviations);
        Assert.Contains("map order aligned instead of reference", deviations);
        string last = Assert.Single(run.Lines, line => line.StartsWith("steps 2/2", StringComparison.Ordinal));
        foreach (string loss in new[] { "hard", "penalty", "autoencoder", "student-autoencoder", "learning rate" })
            Assert.Contains(loss, last);
    }

    [Fact]
    public async Task Json_IsOneObjectPerLine()
    {
        CliRun run = await CliRun.RunAsync(trained.Train(trained.New("json.safetensors"), "--json"));
        TrainedModel.AssertTrained(run);
        JsonElement[] lines = run.JsonLines;
        Assert.Equal("start", lines[0].GetProperty("event").GetString());
        Assert.Equal(5, lines[0].GetProperty("training_images").GetInt32());
        JsonElement step = lines.Last(line => line.TryGetProperty("hard", out _));
        Assert.Equal((2, 2), (step.GetProperty("done").GetInt32(), step.GetProperty("total").GetInt32()));
        JsonElement done = lines[^1];
        Assert.Equal("done", done.GetProperty("event").GetString());
        Assert.True(float.IsFinite(done.GetProperty("threshold").GetSingle()));
        Assert.True(File.Exists(done.GetProperty("model").GetString()));
    }

    /// <summary>Two steps teach an autoencoder nothing: the model says so, and so does the command.</summary>
    [Fact]
    public async Task AutoencoderThatExplainsLittle_IsSaid()
    {
        string model = trained.New("quick.safetensors");
        CliRun run = await CliRun.RunAsync(trained.Train(model, "--recipe", "quick", "--json"));
        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("The autoencoder explains 1% of good images' features", run.Error);
        Assert.Equal(0.01f, run.JsonLines[^1].GetProperty("autoencoder_explains").GetSingle());
        using ModelFile file = ModelFile.Open(model);
        Assert.Equal(0.01f, file.Information.AutoencoderExplains);
    }

    [Fact]
    public async Task Interruption_SavesAndResumesToTheSameBytes()
    {
        string model = trained.New("interrupted.safetensors"), checkpoint = model + ".checkpoint";
        CliRun interrupted = await CliRun.InterruptAsync("statistics 5/5", trained.Train(model));
        Assert.Equal(ExitCode.Cancelled, interrupted.Code);
        Assert.True(File.Exists(checkpoint));
        Assert.False(File.Exists(model));
        Assert.EndsWith(string.Join(' ', trained.Train(model, "--resume")), interrupted.Lines[^1]);

        CliRun again = await CliRun.RunAsync(trained.Train(model));
        Assert.Equal(ExitCode.Failure, again.Code);
        Assert.Contains("Go on with --resume", again.Error);

        CliRun resumed = await CliRun.RunAsync(trained.Train(model, "--resume"));
        TrainedModel.AssertTrained(resumed);
        Assert.False(File.Exists(checkpoint));
        Assert.Equal(File.ReadAllBytes(trained.Model), File.ReadAllBytes(model));
    }

    [Fact]
    public async Task InterruptionBeforeTheFirstStep_LeavesNothing()
    {
        string model = trained.New("early.safetensors");
        CliRun run = await CliRun.InterruptAsync("Training", trained.Train(model));
        Assert.Equal(ExitCode.Cancelled, run.Code);
        Assert.Contains("before the first step", run.Output);
        Assert.DoesNotContain("--resume", run.Output);
        Assert.False(File.Exists(model) || File.Exists(model + ".checkpoint"));
    }

    [Fact]
    public async Task ExistingModel_IsReplacedOnlyWithForce()
    {
        string model = trained.New("existing.safetensors");
        File.WriteAllText(model, "mine");
        CliRun refused = await CliRun.RunAsync(trained.Train(model));
        Assert.Equal(ExitCode.Failure, refused.Code);
        Assert.Contains("--force", refused.Error);
        Assert.Equal("mine", File.ReadAllText(model));

        CliRun forced = await CliRun.RunAsync(trained.Train(model, "--force"));
        Assert.Equal(ExitCode.Success, forced.Code);
        Assert.NotEqual("mine", File.ReadAllText(model));
    }

    [Theory]
    [InlineData("missing", "does not exist")]
    [InlineData("empty", "holds no images")]
    public async Task UselessData_IsNamed(string folder, string expected)
    {
        Directory.CreateDirectory(trained.New("empty"));
        string data = trained.New(folder);
        CliRun run = await CliRun.RunAsync("train", "--data", data, "--out", trained.New("none.safetensors"));
        Assert.Equal(ExitCode.Failure, run.Code);
        Assert.Contains(data, run.Error);
        Assert.Contains(expected, run.Error);
    }

    [Fact]
    public async Task CorruptTrainingImage_IsNamed()
    {
        string data = Directory.CreateDirectory(trained.New("corrupt")).FullName;
        foreach (string image in Directory.GetFiles(trained.TestImages))
            File.Copy(image, Path.Combine(data, Path.GetFileName(image)));
        string cut = Path.Combine(data, "cut.png");
        File.WriteAllBytes(cut, File.ReadAllBytes(Path.Combine(data, "000.png"))[..1000]);
        CliRun run = await CliRun.RunAsync(
            "train", "--data", data, "--out", trained.New("corrupt.safetensors"), "--teacher", trained.Teacher,
            "--input", "64", "--steps", "1");
        Assert.Equal(ExitCode.Failure, run.Code);
        Assert.Contains(cut, run.Error);
        Assert.False(File.Exists(trained.New("corrupt.safetensors")));
    }

    [Theory]
    [InlineData("--resume", "", "nothing to resume")]
    [InlineData("--penalty", "nowhere", "(--penalty) does not exist")]
    [InlineData("--teacher", "nowhere", "nowhere")]
    public async Task MissingFile_IsNamed(string option, string value, string expected)
    {
        string[] arguments = value == "" ? [option] : [option, trained.New(value)];
        CliRun run = await CliRun.RunAsync(
            ["train", "--data", trained.Data, "--out", trained.New("missing"), "--steps", "2", .. arguments]);
        Assert.Equal(ExitCode.Failure, run.Code);
        Assert.Contains(expected, run.Error);
    }
}
