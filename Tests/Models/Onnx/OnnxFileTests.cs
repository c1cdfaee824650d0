using EfficientAD.Models;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Models.Import;

namespace EfficientAD.Tests.Models.Onnx;

/// <summary>ONNX files that are damaged, cut off or hostile.</summary>
public sealed class OnnxFileTests(PublishedFolder published) : IClassFixture<PublishedFolder>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void GraphSaysWhatItsWeightsDoNot()
    {
        using WeightsFile file = WeightsFile.Open(published["anomalib_2.onnx"]);
        Assert.Equal("ONNX", file.Format);
        Assert.Equal((256L, 256L), (file.Facts["input_size.0"], file.Facts["input_size.1"]));
        Assert.Equal(0L, file.Facts["model.teacher.conv1.padding.0"]);
        Assert.Equal(2L, file.Facts["model.ae.decoder.deconv1.padding.0"]);
        Assert.True((double)file.Facts["quantiles.qb_st"] > 0);
        Assert.True((double)file.Facts["image_range"] > 0);
    }

    [Fact]
    public void EveryCutFile_GivesARefusalOrFewerTensors()
    {
        // Protobuf has no end mark: a file cut between two fields is whole, and then lacks what is asked of it.
        byte[] bytes = File.ReadAllBytes(published["anomalib_2.onnx"]);
        int refused = 0;
        for (int length = 1; length < bytes.Length; length += 97) refused += Opens(bytes[..length]) ? 0 : 1;
        Assert.InRange(refused, bytes.Length / 97 * 9 / 10, bytes.Length);
    }

    [Fact]
    public void RandomDamage_GivesValuesOrARefusal()
    {
        byte[] sound = File.ReadAllBytes(published["anomalib_2.onnx"]);
        int refused = 0;
        const int rounds = 600;
        for (int round = 0; round < rounds; round++)
        {
            var random = new CounterRandom(4, (ulong)round);
            byte[] bytes = [.. sound];
            for (uint change = 0; change <= random.Below(0, 3); change++)
                bytes[random.Below(2 * change + 1, bytes.Length)] = (byte)random.Below(2 * change + 2, 256);
            if (!Opens(bytes)) refused++;
        }

        Assert.InRange(refused, rounds / 20, rounds - 1);
    }

    [Theory]
    [InlineData("08073a", "needs 1 bytes where 0 are left")]                            // a graph without its length
    [InlineData("08073affffffffffffffffff01", "needs 18446744073709551615 bytes")]      // one of 16 EB
    [InlineData("08073affffffffffffffffffffffff01", "has a number of more than 10 bytes")]
    [InlineData("08070f", "has a field of wire type 7")]
    [InlineData("0807", "it has no graph with nodes")]
    [InlineData("08073a0c0a032203416464" + "2a054203783a31", "it has no graph with nodes|needs")]
    public void Damage_IsRefusedWithItsReason(string hex, string reasons)
    {
        var error = Assert.Throws<ModelFormatException>(
            () => WeightsFile.Open(_folder.Write("model.onnx", Convert.FromHexString(hex))).Dispose());
        Assert.Contains(reasons.Split('|'), reason => error.Message.Contains(reason, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("0802100142017870015a0474657374", "lies in another file")]              // data_location = EXTERNAL
    [InlineData("0802100142017 84a0400000000", "has 4 bytes of values but its shape needs 8")]
    [InlineData("080210074201784a0800000000", "has data type 7|needs")]                  // INT64
    public void ValuesThatCannotBeRead_AreNamed(string tensorHex, string reasons)
    {
        byte[] tensor = Convert.FromHexString(tensorHex.Replace(" ", "", StringComparison.Ordinal));
        byte[] node = [0x0a, 5, 0x22, 3, (byte)'A', (byte)'d', (byte)'d'];
        byte[] graph = [.. node, 0x2a, (byte)tensor.Length, .. tensor];
        byte[] model = [0x08, 7, 0x3a, (byte)graph.Length, .. graph];
        var error = Assert.Throws<ModelFormatException>(() =>
        {
            using WeightsFile file = WeightsFile.Open(_folder.Write("model.onnx", model));
            file.Get("x").Read(new float[2]);
        });
        Assert.Contains(reasons.Split('|'), reason => error.Message.Contains(reason, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OtherNamesOfATensor_MayStandBeforeIt(bool nodesFirst)
    {
        byte[] tensor = Convert.FromHexString("08011001420178" + "4a040000803f");
        byte[] initialiser = [0x2a, (byte)tensor.Length, .. tensor];
        byte[] nodes = [.. Identity('x', 'y'), .. Identity('y', 'z')];
        byte[] graph = nodesFirst ? [.. nodes, .. initialiser] : [.. initialiser, .. nodes];
        byte[] model = [0x08, 7, 0x3a, (byte)graph.Length, .. graph];
        using WeightsFile file = WeightsFile.Open(_folder.Write("model.onnx", model));
        Assert.Equal(["x", "y", "z"], file.Names);
        var values = new float[1];
        file.Get("z").Read(values);
        Assert.Equal(1, values[0]);

        static byte[] Identity(char from, char to) =>
            [0x0a, 16, 0x0a, 1, (byte)from, 0x12, 1, (byte)to, 0x22, 8, .. "Identity"u8];
    }

    private bool Opens(byte[] bytes)
    {
        try
        {
            using WeightsFile file = WeightsFile.Open(_folder.Write("model.onnx", bytes));
            foreach (string name in file.Names)
            {
                WeightTensor tensor = file.Get(name);
                if (name.Contains("quantiles", StringComparison.Ordinal) && tensor.Shape is [])
                    tensor.Read(new float[1]);
            }

            return true;
        }
        catch (ModelFormatException)
        {
            return false;
        }
    }
}
