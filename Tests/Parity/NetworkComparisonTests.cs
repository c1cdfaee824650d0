using System.Text.Json;
using EfficientAD.Autograd;
using EfficientAD.Backends.Cpu;
using EfficientAD.Cli;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Models.Import;
using EfficientAD.Networks;
using EfficientAD.Parity;
using EfficientAD.Tensors;
using EfficientAD.Tests.Cli;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Models.Import;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Parity;

/// <summary>The comparison finds the layer at which another implementation differs, and no other.</summary>
public sealed class NetworkComparisonTests(PublishedFolder published) : IClassFixture<PublishedFolder>, IDisposable
{
    private static readonly Shape Input = new(1, 3, 45, 37);

    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 2 });
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _backend.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task EqualLayers_Agree()
    {
        CliRun run = await CliRun.RunAsync(
            "compare", "--model", published["teacher_small.pth"], "--dump", Dump(_ => { }), "--threads", "2");
        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Error));
        Assert.Contains("All 4 agree within 1e-4", run.Output);
    }

    [Fact]
    public async Task ForeignLayer_IsWhereTheyPart()
    {
        string dump = Dump(layers =>
        {
            layers["teacher.conv3"].Values[77] += 0.5f;
            layers["teacher.conv4"].Values[5] = float.NaN;
            layers["student.conv9"] = ([1], [0]);
        });
        CliRun run = await CliRun.RunAsync(
            "compare", "--model", published["teacher_small.pth"], "--dump", dump, "--json", "--threads", "2");
        Assert.Equal((ExitCode.Different, ""), (run.Code, run.Error));
        JsonElement[] layers = [.. run.Json.GetProperty("layers").EnumerateArray()];
        Assert.Equal(
            ["teacher.conv1", "teacher.conv2", "teacher.conv3", "teacher.conv4"],
            layers.Select(layer => layer.GetProperty("layer").GetString()));
        Assert.Equal("teacher.conv3", run.Json.GetProperty("parts_at").GetString());
        Assert.Equal(0, layers[1].GetProperty("max").GetDouble());
        Assert.Equal(0.5, layers[2].GetProperty("max").GetDouble(), 1e-6);
        Assert.Equal(JsonValueKind.Null, layers[3].GetProperty("max").ValueKind);  // NaN on one side
        Assert.Equal("student.conv9", run.Json.GetProperty("ignored")[0].GetString());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public async Task ValueThatIsNotFinite_Parts(float value)
    {
        string dump = Dump(layers => layers["teacher.conv4"].Values[5] = value);
        CliRun run = await CliRun.RunAsync(
            "compare", "--model", published["teacher_small.pth"], "--dump", dump, "--threads", "2");
        Assert.Equal((ExitCode.Different, ""), (run.Code, run.Error));
        Assert.Contains("They part at teacher.conv4: a value is not finite in one of the two.", run.Output);
    }

    [Fact]
    public async Task LayerOfZeros_HasNoShareOfItsLargestValue()
    {
        string dump = Dump(layers => layers["teacher.conv1"].Values.AsSpan().Clear());
        CliRun run = await CliRun.RunAsync(
            "compare", "--model", published["teacher_small.pth"], "--dump", dump, "--threads", "2");
        Assert.Equal((ExitCode.Different, ""), (run.Code, run.Error));
        Assert.Contains("They part at teacher.conv1: the dump holds nothing but zeros there.", run.Output);
    }

    [Fact]
    public void ValuesThatAreNotFinite_StayOutOfTheScale()
    {
        var shape = new Shape(1, 1, 1, 3);
        LayerDifference same = LayerDifference.Between(
            "x", shape, [1, float.NaN, float.PositiveInfinity], [1, float.NaN, float.PositiveInfinity]);
        Assert.Equal((0.0, 0.0, 1.0), (same.Maximum, same.Relative, same.Scale));
        LayerDifference other = LayerDifference.Between("x", shape, [1, 2, 3], [1, float.NaN, 4]);
        Assert.Equal(
            (double.PositiveInfinity, double.PositiveInfinity, 4.0), (other.Maximum, other.Relative, other.Scale));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PaddedNetworks_ArePaddedHereToo(bool imported)
    {
        string model = published.Switched("padding", to: true);
        if (imported)
        {
            using var importer = new ModelImporter([model]);
            model = Path.Combine(_folder.Path, "networks.safetensors");
            importer.Save(model);
        }

        string path = Dump(layers => layers["teacher.conv1"] = ([128, 48, 40], new float[128 * 48 * 40]));
        using LayerDump dump = LayerDump.Open(path);
        IReadOnlyList<LayerDifference> layers = new NetworkComparison(_backend, model, dump).CompareLayers();
        // Six rows and columns more than without padding: 3 at each side.
        Assert.Equal(new Shape(1, 128, 48, 40), layers[0].Shape);
        Assert.Null(layers[0].OtherShape);
    }

    [Fact]
    public async Task OtherShape_IsShown()
    {
        string dump = Dump(layers => layers["teacher.conv2"] = ([2, 3], new float[6]));
        CliRun run = await CliRun.RunAsync(
            "compare", "--model", published["teacher_small.pth"], "--dump", dump, "--threads", "2");
        Assert.Equal(ExitCode.Different, run.Code);
        Assert.Contains("the dump has [2, 3]", run.Output);
        Assert.Contains("They part at teacher.conv2: its shape differs.", run.Output);
    }

    [Fact]
    public void WholeModel_IsComparedUpToItsScore()
    {
        using (var importer = new ModelImporter([published["anomalib_2.ckpt"]]))
            importer.Save(Path.Combine(_folder.Path, "m.safetensors"));
        RgbImage picture = PublishedFolder.Picture(3);
        ReferenceFile reference = ReferenceFile.Open("published/published.safetensors");
        var writer = new SafetensorsWriter();
        using (Tensor input = _backend.Allocate(new Shape(1, 3, 256, 256)))
        {
            _backend.Preprocess(picture.View, ColourAdjustment.None, 256, 256, input);
            writer.Add("input", [1, 3, 256, 256], PublishedFolder.Download(_backend, input));
        }

        writer.Add("score", [], new[] { (float)reference.Doubles("anomalib.score")[0] });
        string path = Path.Combine(_folder.Path, "score.safetensors");
        writer.Save(path);
        using LayerDump dump = LayerDump.Open(path);
        var comparison = new NetworkComparison(_backend, Path.Combine(_folder.Path, "m.safetensors"), dump);
        Assert.Equal(0, comparison.ComparePreprocessing(picture.View).Maximum);
        Assert.True(comparison.ComparePreprocessing(PublishedFolder.Picture(4).View).Maximum > 1);
        LayerDifference score = Assert.Single(comparison.CompareLayers());
        Assert.Equal("score", score.Layer);
        Assert.InRange(score.Relative, 0, 2e-4);  // PyTorch computed it in double
    }

    [Theory]
    [InlineData("noise", "has no layer of a network")]
    [InlineData("small", "with sides of 33 to 1024 is expected")]
    [InlineData("large", "with sides of 33 to 1024 is expected")]
    [InlineData("none", "has no array 'input'")]
    [InlineData("autoencoder", "has layers of the autoencoder but an input of 45 x 37")]
    public async Task DumpThatDoesNotFit_IsTold(string kind, string reason)
    {
        var writer = new SafetensorsWriter();
        if (kind == "small") writer.Add("input", [1, 3, 20, 20], new float[1200]);
        else if (kind == "large") writer.Add("input", [1, 3, 33, 1025], new float[3 * 33 * 1025]);
        else if (kind != "none") writer.Add("input", [1, 3, Input.H, Input.W], Drawn.Image(4, 0, Input));
        writer.Add(kind == "autoencoder" ? "autoencoder.enconv1" : "other", [1], new float[1]);
        string path = Path.Combine(_folder.Path, "dump.safetensors");
        writer.Save(path);
        string model = published[kind == "autoencoder" ? "autoencoder_final.pth" : "teacher_small.pth"];
        CliRun run = await CliRun.RunAsync("compare", "--model", model, "--dump", path);
        Assert.Equal((ExitCode.Failure, ""), (run.Code, run.Output));
        Assert.Contains(reason, run.Error);
    }

    /// <summary>The teacher's own outputs, changed.</summary>
    private string Dump(Action<Dictionary<string, (long[] Shape, float[] Values)>> change)
    {
        var layers = new Dictionary<string, (long[] Shape, float[] Values)>
        {
            ["input"] = ([1, 3, Input.H, Input.W], Drawn.Image(4, 0, Input)),
        };
        (PatchDescriptionNetwork teacher, _) = TeacherFile.Load(
            published["teacher_small.pth"], PdnSize.Small, padded: false, _backend);
        using (teacher)
        using (var tape = new Tape(_backend))
        {
            Tensor input = tape.Allocate(Input);
            _backend.Upload(layers["input"].Values, input);
            teacher.Forward(tape, Variable.Constant(input), (layer, output) =>
            {
                Shape shape = output.Value.Shape;
                layers[$"teacher.{layer}"] = (
                    [shape.C, shape.H, shape.W], PublishedFolder.Download(_backend, output.Value));
            });
        }

        change(layers);
        var writer = new SafetensorsWriter();
        foreach ((string name, (long[] shape, float[] values)) in layers) writer.Add(name, shape, values);
        string path = Path.Combine(_folder.Path, "layers.safetensors");
        writer.Save(path);
        return path;
    }
}
