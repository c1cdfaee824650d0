using System.Security.Cryptography;
using System.Text.Json;
using EfficientAD.Cli;

namespace EfficientAD.Tests.Cli;

[Collection("Cli")]
public class InfoTests(TrainedModel trained)
{
    [Fact]
    public async Task Model_ShowsNetworksAndProvenance()
    {
        CliRun run = await CliRun.RunAsync("info", trained.Model);
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        string[] parts =
        [
            "EfficientAD model", "2,694,144", "4,267,392", "1,096,320",
            "threshold", "recipe", "deviations", "data_sha256", "teacher.safetensors",
        ];
        Assert.All(parts, part => Assert.Contains(part, run.Output));
    }

    [Fact]
    public async Task Json_HoldsTheSame()
    {
        JsonElement json = (await CliRun.RunAsync("info", trained.Model, "--json")).Json;
        Assert.Equal("model", json.GetProperty("kind").GetString());
        string hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(trained.Model)));
        Assert.Equal(hash, json.GetProperty("sha256").GetString());
        Assert.Equal(4_267_392, json.GetProperty("networks").GetProperty("student").GetInt64());
        Assert.Equal("2", json.GetProperty("metadata").GetProperty("steps").GetString());
        var tensors = json.GetProperty("tensors").EnumerateArray();
        Assert.Contains("teacher_mean", tensors.Select(tensor => tensor.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task Teacher_ListsItsTensors()
    {
        CliRun run = await CliRun.RunAsync("info", trained.Teacher);
        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("2,694,144", run.Output);
        Assert.Contains(run.Lines, line => line == "conv4.weight  F32 [384, 256, 4, 4]");
    }

    [Fact]
    public async Task DamagedFile_IsNamed()
    {
        string bad = trained.New("bad.safetensors");
        byte[] bytes = File.ReadAllBytes(trained.Model);
        bytes[^1] ^= 1;
        File.WriteAllBytes(bad, bytes);
        CliRun run = await CliRun.RunAsync("info", bad);
        Assert.Equal((ExitCode.Failure, ""), (run.Code, run.Output));
        Assert.Contains(bad, run.Error);
        Assert.Contains("checksum", run.Error);
    }
}
