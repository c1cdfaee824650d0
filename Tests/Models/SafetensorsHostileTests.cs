using EfficientAD.Models;

namespace EfficientAD.Tests.Models;

public class SafetensorsHostileTests
{
    private static string Entry(string name, string type, string shape, string offsets) =>
        $$"""
        "{{name}}":{"dtype":"{{type}}","shape":{{shape}},"data_offsets":{{offsets}}}
        """;

    /// <summary>A header, and what the message must say. Eight bytes of data follow each.</summary>
    public static TheoryData<string, string> Headers => new()
    {
        { "", "not the expected JSON" },
        { "[]", "does not start with an object" },
        { "{", "not the expected JSON" },
        { "{}", "end at byte 0 of the data but 8 bytes follow" },
        { "{}{}", "not the expected JSON" },
        { "{} x", "not the expected JSON" },
        { "\uFEFF{}", "not the expected JSON" },
        { "{\"a\":1}", "tensor 'a' is not described by an object" },
        { "{\"a\":{\"dtype\":\"F32\"}}", "tensor 'a' lacks dtype, shape or data_offsets" },
        { "{\"a\":{\"dtype\":7}}", "not the expected JSON" },
        { "{\"a\":{\"shape\":[[2]]}}", "not the expected JSON" },
        { "{\"a\":{\"shape\":[true]}}", "not a list of at most 16" },
        { "{\"a\":{\"dtype\":{\"x\":{\"y\":1}}}}", "not the expected JSON" },
        { "{\"a\":{\"offset\":3}}", "unknown or repeated property 'offset'" },
        { "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", "unknown or repeated property 'dtype'" },
        { "{" + Entry("a", "F32", "[2]", "[0,8]") + "," + Entry("a", "F32", "[2]", "[0,8]") + "}", "names 'a' twice" },
        { "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", "metadata 'k' appears twice" },
        { "{\"__metadata__\":{\"k\":1}}", "metadata 'k' is not a string" },
        { "{\"__metadata__\":[]}", "'__metadata__' is not an object" },
        { "{\"__metadata__\":{\"k\":\"\\ud800\"}}", "not the expected JSON" },
        { "{" + Entry("a", "F8_E4M3", "[8]", "[0,8]") + "}", "dtype 'F8_E4M3', which is not supported" },
        { "{" + Entry("a", "f32", "[2]", "[0,8]") + "}", "dtype 'f32', which is not supported" },
        { "{" + Entry("a", "11", "[2]", "[0,8]") + "}", "dtype '11', which is not supported" },
        {
            "{" + Entry("a", "F32", "[3]", "[0,8]") + "}",
            "tensor 'a', F32 [3], takes 12 bytes but data_offsets give it 8"
        },
        {
            "{" + Entry("a", "F32", "[-2]", "[0,8]") + "}",
            "shape of tensor 'a' is not a list of at most 16 non-negative"
        },
        { "{" + Entry("a", "F32", "[2.0]", "[0,8]") + "}", "is not a list" },
        { "{" + Entry("a", "F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2]", "[0,8]") + "}", "at most 16" },
        {
            "{" + Entry("a", "F32", "[4294967296,4294967296]", "[0,8]") + "}",
            "takes more than 2 GB"  // 2^64 elements wrap to 0
        },
        {
            "{" + Entry("a", "F32", "[4611686018427387906]", "[0,8]") + "}",
            "takes more than 2 GB"  // times 4 wraps to 8
        },
        { "{" + Entry("a", "F32", "[9223372036854775807,9223372036854775807]", "[0,8]") + "}", "takes more than 2 GB" },
        {
            "{" + Entry("a", "F32", "[0,9223372036854775807]", "[0,8]") + "}",
            "takes 0 bytes but data_offsets give it 8"
        },
        { "{" + Entry("a", "F32", "[99999999999999999999]", "[0,8]") + "}", "is not a list" },
        {
            "{" + Entry("a", "F32", "[2]", "[0,9]") + "}",
            "data_offsets of tensor 'a' are [0, 9] but the data have 8 bytes"
        },
        { "{" + Entry("a", "F32", "[2]", "[8,0]") + "}", "are [8, 0]" },
        { "{" + Entry("a", "F32", "[2]", "[-8,0]") + "}", "data_offsets of tensor 'a' is not a list" },
        { "{" + Entry("a", "F32", "[2]", "[0]") + "}", "are [0]" },
        { "{" + Entry("a", "F32", "[2]", "[0,8,8]") + "}", "are [0, 8, 8]" },
        { "{" + Entry("a", "F32", "[1]", "[0,4]") + "}", "end at byte 4 of the data but 8 bytes follow" },
        {
            "{" + Entry("a", "F32", "[1]", "[4,8]") + "}",
            "tensor 'a' starts at byte 4 of the data but the one before ends at 0"
        },
        {
            "{" + Entry("a", "F32", "[2]", "[0,8]") + "," + Entry("b", "F32", "[1]", "[4,8]") + "}",
            "'b' starts at byte 4 of the data but the one before ends at 8"
        },
        {
            "{" + Entry("a", "F32", "[2]", "[0,8]") + "," + Entry("b", "F32", "[0]", "[4,4]") + "}",
            "starts at byte 4 of the data but the one before ends at 8"
        },
        { "{" + Entry("\\u001b[31m", "X", "[2]", "[0,8]") + "}", "tensor '?[31m'" },
        {
            "{\"__metadata__\":{\"efficientad.checksum\":\"xxh128:0\"}," + Entry("a", "F32", "[2]", "[0,8]") + "}",
            "hostile is damaged: its checksum is xxh128:"
        },
    };

    [Theory, MemberData(nameof(Headers))]
    public void Header_IsRefusedWithItsReason(string header, string reason)
    {
        byte[] bytes = SafetensorsTests.Bytes(header, "0000000000000000");
        var error = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(bytes, "hostile"));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("hostile ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData((ulong)long.MaxValue)]
    [InlineData(100_000_001ul)]
    [InlineData(17ul)]
    public void HeaderLength_BeyondFileOrLimitIsRefused(ulong length)
    {
        byte[] bytes = [.. BitConverter.GetBytes(length), .. new byte[16]];
        var error = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(bytes, "hostile"));
        Assert.Contains(
            $"its header would take {length} bytes but the file has 24", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("504b0304000000000000")]  // a zip archive, as torch.save writes
    [InlineData("504b0304140000000000")]
    [InlineData("80028a0a6cfc9c46f920")]  // a pickle, as it wrote before
    public void FileOfPyTorch_IsNamedWithWhatReadsIt(string start)
    {
        byte[] bytes = [.. Convert.FromHexString(start), .. new byte[100]];
        var error = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(bytes, "weights.pth"));
        Assert.Equal(
            "weights.pth is no safetensors file: it starts like one of PyTorch. Make one of it: " +
            "efficientad import weights.pth --out FILE", error.Message);
    }

    [Fact]
    public void TooManyTensors_AreRefused()
    {
        var names = Enumerable.Range(0, 100_001);
        string entries = string.Join(',', names.Select(i => Entry($"{i}", "U8", "[0]", "[0,0]")));
        byte[] bytes = SafetensorsTests.Bytes($"{{{entries}}}", "");
        var error = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(bytes, "hostile"));
        Assert.Contains("more than 100000 tensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DeepNesting_IsRefused()
    {
        byte[] bytes = SafetensorsTests.Bytes("{\"a\":" + new string('[', 1_000_000), "");
        Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(bytes, "hostile"));
    }

    [Fact]
    public void Writer_RefusesWhatTheFormatCannotHold()
    {
        var writer = new SafetensorsWriter();
        writer.Add("a", [1], new float[] { 70_000 }, SafetensorsType.F16);
        Assert.Throws<ArgumentException>(() => writer.Add("a", [1], new float[1]));
        Assert.Throws<ArgumentException>(() => writer.Add("__metadata__", [1], new float[1]));
        Assert.Throws<ArgumentException>(() => writer.Add("b", [2, 2], new float[3]));
        Assert.Throws<ArgumentException>(() => writer.Add("b", [-1, -3], new float[3]));
        Assert.Throws<ArgumentException>(() => writer.Add("b", [long.MaxValue, long.MaxValue, 4], new float[4]));
        Assert.Throws<ArgumentException>(() => writer.Add("b", [1], new float[1], SafetensorsType.I64));
        var error = Assert.Throws<InvalidOperationException>(() => writer.Write(Stream.Null));
        Assert.Contains("Tensor 'a' has the value 70000 at 0", error.Message, StringComparison.Ordinal);
    }
}
