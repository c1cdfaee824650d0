using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tests.Detection;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Models;

/// <summary>Damaged and hostile model files: an error that names the file, never a detector.</summary>
public class ModelFileTests(ModelFixture model) : IClassFixture<ModelFixture>
{
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(1_000)]
    [InlineData(-1)]
    [InlineData(-100_000)]
    public void CutFile_IsRefused(int end)
    {
        byte[] bytes = File.ReadAllBytes(model.Path);
        AssertRefused(end >= 0 ? bytes[..end] : bytes[..^-end]);
    }

    [Fact]
    public void FlippedBit_IsRefused()
    {
        byte[] bytes = File.ReadAllBytes(model.Path);
        bytes[bytes.Length / 2] ^= 4;
        AssertRefused(bytes);
    }

    [Theory]
    [InlineData("threshold", "NaN")]
    [InlineData("input_width", "1000000000")]
    [InlineData("network", "Gigantic")]
    [InlineData("efficientad.format", "2")]
    [InlineData("qb_st", "-1")]
    [InlineData("score_scale", "0")]
    public void ImpossibleMetadata_IsRefused(string key, string value)
    {
        ModelFormatException refused = AssertRefused(Rewritten(metadata => metadata[key] = value, _ => { }));
        Assert.Contains("model.safetensors", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MissingMetadata_IsNamed() =>
        Assert.Contains(
            "'threshold'", AssertRefused(Rewritten(metadata => metadata.Remove("threshold"), _ => { })).Message,
            StringComparison.Ordinal);

    [Fact]
    public void WeightThatIsNotFinite_IsRefused() => Assert.Contains(
        "not finite",
        AssertRefused(Rewritten(_ => { }, tensors => tensors["student.conv2.bias"].Values[3] = float.NaN)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void MissingTensor_IsNamed() => Assert.Contains(
        "student.conv2.bias",
        AssertRefused(Rewritten(_ => { }, tensors => tensors.Remove("student.conv2.bias"))).Message,
        StringComparison.Ordinal);

    [Fact]
    public void TensorOfAnotherShape_IsRefused() => Assert.Contains(
        "[255]",
        AssertRefused(Rewritten(_ => { }, tensors => tensors["student.conv2.bias"] = ([255], new float[255]))).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData(8, 8, 0f, "must be positive")]
    [InlineData(8, 8, float.NaN, "not finite")]
    [InlineData(9, 8, 1f, "[1, 1, 9, 8]")]
    public void ImpossiblePlaceWeights_AreRefused(int height, int width, float last, string said)
    {
        float[] values = [.. Enumerable.Repeat(1f, height * width - 1), last];
        byte[] bytes = Rewritten(_ => { }, tensors => tensors["place_weights"] = ([1, 1, height, width], values));
        Assert.Contains(said, AssertRefused(bytes).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TeacherDeviationOfNothing_IsRefused() => Assert.Contains(
        "'teacher_std' holds 0, but every value must be positive",
        AssertRefused(Rewritten(_ => { }, tensors => tensors["teacher_std"].Values[383] = 0)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void TeacherDeviationOfNothing_IsRefusedBeforeCalibrationToo()
    {
        using var folder = new TemporaryFolder();
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using var networks = new DetectionNetworks(backend, PdnSize.Small, padded: false, trainable: false);
        backend.Upload(new float[PatchDescriptionNetwork.TeacherChannels], networks.Deviation);
        string path = Path.Combine(folder.Path, "networks.safetensors");
        var information = new UncalibratedInformation
        {
            Size = PdnSize.Small,
            Padded = false,
            MapOrder = MapOrder.Reference,
            InputHeight = 256,
            InputWidth = 256,
            Recipe = "reference",
            Origin = "nowhere",
            Missing = "threshold",
        };
        UncalibratedModel.Save(path, information, networks, hasStatistics: true);
        using UncalibratedModel model = UncalibratedModel.Open(path);
        var error = Assert.Throws<ModelFormatException>(() => model.Load(backend));
        Assert.Contains("'teacher_std' holds 0, but every value must be positive", error.Message);
    }

    private static ModelFormatException AssertRefused(byte[] bytes)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("model.safetensors", bytes);
        return Assert.Throws<ModelFormatException>(
            () => AnomalyDetector.Load(path, new DetectorOptions { Threads = 1 }).Dispose());
    }

    /// <summary>The model with changes, under a checksum that fits.</summary>
    private byte[] Rewritten(
        Action<Dictionary<string, string>> changeMetadata,
        Action<Dictionary<string, (long[] Shape, float[] Values)>> changeTensors)
    {
        using SafetensorsFile file = SafetensorsFile.Open(model.Path);
        var writer = new SafetensorsWriter();
        foreach ((string key, string value) in file.Metadata.Where(pair => pair.Key != SafetensorsChecksum.Key))
            writer.Metadata[key] = value;
        changeMetadata(writer.Metadata);
        var tensors = new Dictionary<string, (long[] Shape, float[] Values)>();
        foreach (string name in file.Names)
        {
            SafetensorsTensor tensor = file.Get(name);
            var values = new float[tensor.Count];
            tensor.ReadFloats(values);
            tensors[name] = (tensor.Shape.ToArray(), values);
        }

        changeTensors(tensors);
        foreach ((string name, (long[] shape, float[] values)) in tensors) writer.Add(name, shape, values);
        using var stream = new MemoryStream();
        writer.Write(stream);
        return stream.ToArray();
    }
}
