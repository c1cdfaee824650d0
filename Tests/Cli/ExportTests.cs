using System.Text.Json;
using EfficientAD.Cli;

namespace EfficientAD.Tests.Cli;

/// <summary>The command compares ONNX Runtime's outputs with ours itself and fails if they differ; here it must have
/// done so for both inputs, and say what it found.</summary>
[Collection("Cli")]
public class ExportTests(TrainedModel trained)
{
    [Theory, InlineData("rgb"), InlineData("normalized")]
    public async Task Export_GivesOurOutputsInOnnxRuntime(string input)
    {
        string onnx = trained.New($"{input}.onnx");
        CliRun run = await CliRun.RunAsync(
            "export", "--model", trained.Model, "--onnx", onnx, "--input", input, "--json");
        JsonElement json = run.Json;
        float range = json.GetProperty("map_range").GetSingle();
        Assert.True(range > 0);
        Assert.InRange(json.GetProperty("map_difference").GetSingle(), 0, 1e-3f * range);
        Assert.InRange(json.GetProperty("score_difference").GetSingle(), 0, 1e-3f * range);
        Assert.Equal(new FileInfo(onnx).Length, json.GetProperty("bytes").GetInt64());

        // The smallest files that hold all weights; metadata are readable text in them.
        Assert.InRange(new FileInfo(onnx).Length, 4 * (2_694_144 + 4_267_392 + 1_096_320), 4 * 8_200_000);
        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(onnx);
        Assert.Equal("efficientad", session.ModelMetadata.ProducerName);
        Assert.Equal("plate", session.ModelMetadata.CustomMetadataMap["data"]);
        Assert.Equal(-1, session.InputMetadata["image"].Dimensions[0]);
    }

    [Fact]
    public async Task Letterbox_ScoresThePictureWithoutItsFrame()
    {
        string model = trained.New("letterbox.safetensors"), onnx = trained.New("letterbox.onnx");
        CliRun training = await CliRun.RunAsync(
            "train", "--data", trained.Data, "--out", model, "--teacher", trained.Teacher, "--input", "64x96",
            "--steps", "2", "--threads", "2", "--resize", "letterbox");
        TrainedModel.AssertTrained(training);
        CliRun run = await CliRun.RunAsync("export", "--model", model, "--onnx", onnx, "--json");
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));  // the command has compared both outputs
        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(onnx);
        Assert.Equal([-1, 64, 96, 3], session.InputMetadata["image"].Dimensions);
        Assert.Equal([-1, 1, 64, 64], session.OutputMetadata["map"].Dimensions);
    }

    [Fact]
    public async Task PlaceWeights_AreInTheGraph()
    {
        string model = trained.New("weighed.safetensors"), onnx = trained.New("weighed.onnx");
        CliRun training = await CliRun.RunAsync(trained.Train(model, "--place-weights", "on"));
        TrainedModel.AssertTrained(training);
        CliRun run = await CliRun.RunAsync("export", "--model", model, "--onnx", onnx, "--json");
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        JsonElement json = run.Json;
        float range = json.GetProperty("map_range").GetSingle();
        Assert.InRange(json.GetProperty("map_difference").GetSingle(), 0, 1e-3f * range);
    }

    [Fact]
    public async Task ExistingFile_IsReplacedOnlyByForce()
    {
        string onnx = trained.New("there.onnx");
        File.WriteAllText(onnx, "mine");
        CliRun refused = await CliRun.RunAsync("export", "--model", trained.Model, "--onnx", onnx);
        Assert.Equal(ExitCode.Failure, refused.Code);
        Assert.Contains("--force", refused.Error);
        Assert.Equal("mine", File.ReadAllText(onnx));
        CliRun replaced = await CliRun.RunAsync("export", "--model", trained.Model, "--onnx", onnx, "--force");
        Assert.Equal((ExitCode.Success, ""), (replaced.Code, replaced.Error));
        Assert.Contains("differs from ours by", replaced.Output);
    }
}
