using System.Text.Json;
using EfficientAD.Cli;
using EfficientAD.Models;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Models.Archives;
using EfficientAD.Tests.Models.Import;
using EfficientAD.Tests.Models.Torch;

namespace EfficientAD.Tests.Cli;

public sealed class ImportTests(PublishedFolder published) : IClassFixture<PublishedFolder>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Checkpoint_BecomesAModelThatPredicts()
    {
        string model = New("bottle.safetensors");
        CliRun run = await CliRun.RunAsync("import", published["anomalib_2.ckpt"], "--out", model);
        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("an EfficientAD-S model", run.Output);
        Assert.Contains("below 'state_dict.model.ae.'", run.Output);
        Assert.Contains("best F1", run.Error);

        string image = Path.Combine(published.DataSet(), "train", "good", "003.png");
        CliRun predict = await CliRun.RunAsync("predict", "--model", model, image, "--threads", "2");
        Assert.Equal((ExitCode.Anomalous, ""), (predict.Code, predict.Error));

        CliRun again = await CliRun.RunAsync("import", published["anomalib_2.ckpt"], "--out", model);
        Assert.Equal(ExitCode.Failure, again.Code);
        Assert.Contains("--force", again.Error);
    }

    [Fact]
    public async Task Json_SaysWhatWasFoundAndWhatIsMissing()
    {
        CliRun run = await CliRun.RunAsync(
            "import", published["teacher_small.pth"], published["student_final.pth"],
            published["autoencoder_final.pth"],
            "--out", New("networks.safetensors"), "--json");
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        JsonElement json = run.Json;
        Assert.Equal(
            ("uncalibrated", "S"), (json.GetProperty("kind").GetString(), json.GetProperty("network").GetString()));
        Assert.Equal(3, json.GetProperty("networks").GetArrayLength());
        Assert.Equal("teacher statistics", json.GetProperty("missing")[0].GetString());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("threshold").ValueKind);

        CliRun calibrate = await CliRun.RunAsync(
            "calibrate", "--model", New("networks.safetensors"), "--data", published.DataSet(),
            "--out", New("noise.safetensors"),
            "--threads", "2", "--json");
        TrainedModel.AssertTrained(calibrate);
        JsonElement done = calibrate.JsonLines[^1];
        Assert.Equal(("done", "reference", 9, 1), (
            done.GetProperty("event").GetString(), done.GetProperty("split").GetString(),
            done.GetProperty("statistics_images").GetInt32(), done.GetProperty("validation_images").GetInt32()));
        CliRun info = await CliRun.RunAsync("info", New("noise.safetensors"));
        Assert.Contains("imported from teacher_small.pth", info.Output);
    }

    [Fact]
    public async Task UncalibratedModel_IsNoModelYet()
    {
        string networks = New("networks.safetensors");
        await CliRun.RunAsync(
            "import", published["teacher_small.pth"], published["student_final.pth"],
            published["autoencoder_final.pth"], "--out", networks);
        CliRun info = await CliRun.RunAsync("info", networks);
        Assert.Equal(ExitCode.Success, info.Code);
        Assert.Contains("not calibrated", info.Output);
        CliRun predict = await CliRun.RunAsync("predict", "--model", networks, published.DataSet());
        Assert.Equal(ExitCode.Failure, predict.Code);
        Assert.Contains("efficientad calibrate --model", predict.Error);
    }

    [Fact]
    public async Task HostilePickle_IsRefusedInOneLine()
    {
        string owned = New("owned");
        byte[] magic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];
        byte[] version = [0x80, 2, (byte)'M', 0xe9, 3, (byte)'.'], machine = [0x80, 2, (byte)'}', (byte)'.'];
        byte[] call = new PickleBytes().Global("posix", "system")
            .Letters("(").Text($"touch {owned}").Letters("tR").End();
        string file = _folder.Write("model.pth", [.. magic, .. version, .. machine, .. call]);
        CliRun run = await CliRun.RunAsync("import", file, "--out", New("m.safetensors"));
        Assert.Equal((ExitCode.Failure, ""), (run.Code, run.Output));
        Assert.Contains("asks Python for posix.system", run.Error);
        Assert.Single(run.Error.Trim().Split('\n'));
        Assert.False(File.Exists(owned) || File.Exists(New("m.safetensors")));
    }

    [Theory]
    [InlineData("import")]
    [InlineData("compare")]
    public async Task Interruption_EndsItAtOnce(string command)
    {
        string model = published["teacher_small.pth"], written = New("teacher.safetensors");
        string[] arguments = command == "import"
            ? ["import", model, "--out", written]
            : ["compare", "--model", model, "--dump", published["arrays.npz"]];
        CliRun run = await CliRun.RunAsync(arguments, new StringWriter(), new CancellationToken(canceled: true));
        Assert.Equal((ExitCode.Cancelled, "", "Interrupted."), (run.Code, run.Output, run.Error.Trim()));
        Assert.False(File.Exists(written));
    }

    [Fact]
    public async Task NamesInAFile_CannotSteerTheTerminal()
    {
        const string Escape = "\u001b]0;owned\u0007\u001b[31m";
        var writer = new SafetensorsWriter();
        foreach ((string layer, long[] shape) in new (string, long[])[]
        {
            ("conv1", [128, 3, 4, 4]), ("conv2", [256, 128, 4, 4]), ("conv3", [256, 256, 3, 3]),
            ("conv4", [384, 256, 4, 4]),
        })
        {
            writer.Add(
                $"{Escape}.{layer}.weight", shape, new float[shape.Aggregate(1L, (count, extent) => count * extent)]);
            writer.Add($"{Escape}.{layer}.bias", [shape[0]], new float[shape[0]]);
        }

        string file = New("escape.safetensors");
        writer.Save(file);
        CliRun run = await CliRun.RunAsync("import", file, "--out", New("teacher.safetensors"));
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        Assert.Contains("below '?]0;owned??[31m.'", run.Output);

        file = _folder.Write("names.pth", ZipBytes.Write(
            [("x/data.pkl", new PickleBytes().Global("torch", Escape).Letters("NR").End())]));
        run = await CliRun.RunAsync("import", file, "--out", New("m.safetensors"));
        Assert.Equal(ExitCode.Failure, run.Code);
        Assert.Contains("calls torch.?]0;owned??[31m without a tuple", run.Error);
    }

    private string New(string name) => Path.Combine(_folder.Path, name);
}
