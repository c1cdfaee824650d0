using System.Security.Cryptography;
using System.Text;
using EfficientAD.Cli.Distillation;
using EfficientAD.Distillation;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Distillation;

public sealed class OnnxBackboneTests : IDisposable
{
    private static readonly InputNormalization Unit = InputNormalization.All.Single(known => known.Name == "unit");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>"inner" is no declared output, "outer" is.</summary>
    [Fact]
    public void Stages_ComeFromAnywhereInTheGraph()
    {
        using var backbone = new OnnxBackbone(_folder.Write("net.onnx", TwoPools()), "inner", "outer", Unit);
        var image = new RgbImage(4, 4, [.. Enumerable.Range(0, 48).Select(i => (byte)(5 * i))]);
        (FeatureMap inner, FeatureMap outer) = backbone.Extract(image);
        Assert.Equal((3, 2, 2), (inner.Channels, inner.Height, inner.Width));
        Assert.Equal((3, 1, 1), (outer.Channels, outer.Height, outer.Width));
        // Red samples are 15 x the pixel's number: pixels 0, 1, 4, 5 of the first window, and all 16.
        TensorAssert.Close([15 * 2.5 / 255], inner.Values.Span[..1], 1e-6, because: "a mean of four values below 1");
        TensorAssert.Close([15 * 7.5 / 255], outer.Values.Span[..1], 1e-6, because: "a mean of 16 values below 1");
        string hash = Convert.ToHexStringLower(SHA256.HashData(TwoPools()));
        Assert.Equal($"sha256:{hash} inner+outer unit", backbone.Fingerprint);
    }

    [Fact]
    public void UnknownStages_AreAnsweredWithAList()
    {
        string path = _folder.Write("net.onnx", TwoPools());
        var error = Assert.Throws<ModelFormatException>(() => new OnnxBackbone(path, "layer2", "outer", Unit));
        Assert.Contains("computes no 'layer2'", error.Message);
        Assert.Contains("outer (AveragePool), inner (AveragePool)", error.Message);
    }

    [Fact]
    public void FilesThatAreNoModels_AreRefused()
    {
        byte[] model = TwoPools();
        foreach (byte[] bytes in new[] { [], "PNG or so, but no model"u8.ToArray(), model[..^3], [0xFF, .. model] })
        {
            string path = _folder.Write("broken.onnx", bytes);
            var error = Assert.Throws<ModelFormatException>(() => new OnnxBackbone(path, "inner", "outer", Unit));
            Assert.Contains("broken.onnx", error.Message);
        }

        string missing = Path.Combine(_folder.Path, "none.onnx");
        Assert.Throws<FileNotFoundException>(() => new OnnxBackbone(missing, "inner", "outer", Unit));
    }

    [Fact]
    public void Normalizations_ArrangeAndScaleChannels()
    {
        byte[] pixel = [200, 100, 50];
        float[] values = new float[3];
        InputNormalization.All.Single(known => known.Name == "imagenet").Apply(pixel, values);
        TensorAssert.Close(
            [(200 / 255.0 - 0.485) / 0.229, (100 / 255.0 - 0.456) / 0.224, (50 / 255.0 - 0.406) / 0.225], values,
            absolute: 1e-6, because: "float32 around 1");
        InputNormalization.All.Single(known => known.Name == "caffe").Apply(pixel, values);
        TensorAssert.Close(
            [50 - 103.939, 100 - 116.779, 200 - 123.68], values, absolute: 1e-4, because: "float32 around 100");
    }

    /// <summary>input [1, 3, h, w] -> AveragePool 2 x 2 -> inner -> AveragePool 2 x 2 -> outer.</summary>
    private static byte[] TwoPools()
    {
        byte[] graph =
        [
            .. Field(1, Pool("input", "inner")), .. Field(1, Pool("inner", "outer")), .. Field(2, Utf8("g")),
            .. Field(11, Value("input")), .. Field(12, Value("outer")),
        ];
        return [0x08, 8, .. Field(7, graph), .. Field(8, [0x10, 13])];
    }

    private static byte[] Pool(string input, string output) =>
    [
        .. Field(1, Utf8(input)), .. Field(2, Utf8(output)), .. Field(4, Utf8("AveragePool")),
        .. Field(5, Integers("kernel_shape")), .. Field(5, Integers("strides")),
    ];

    private static byte[] Integers(string name) => [.. Field(1, Utf8(name)), 0x40, 2, 0x40, 2, 0xA0, 0x01, 7];

    private static byte[] Value(string name)
    {
        byte[] height = Field(1, Field(2, Utf8("h"))), width = Field(1, Field(2, Utf8("w")));
        byte[] shape = [.. Field(1, [0x08, 1]), .. Field(1, [0x08, 3]), .. height, .. width];
        return [.. Field(1, Utf8(name)), .. Field(2, Field(1, [0x08, 1, .. Field(2, shape)]))];
    }

    private static byte[] Field(int number, byte[] content)
    {
        Assert.InRange(content.Length, 0, 16383);
        byte tag = (byte)(number << 3 | 2);
        return content.Length < 128
            ? [tag, (byte)content.Length, .. content]
            : [tag, (byte)(content.Length & 0x7F | 0x80), (byte)(content.Length >> 7), .. content];
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
