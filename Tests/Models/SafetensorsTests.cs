using System.Text;
using EfficientAD.Models;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Models;

public sealed class SafetensorsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("efficientad-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void SavedFile_GivesBackTensorsAndMetadata()
    {
        string path = Path.Combine(_folder.FullName, "net.safetensors");
        var writer = new SafetensorsWriter { Metadata = { ["recipe"] = "päper \"quoted\"\n", ["a"] = "" } };
        writer.Add("weight", [2, 3], new float[] { 1, -2, 3.5f, float.NaN, 1e-30f, -0f });
        writer.Add("half", [3], new float[] { 0.1f, 65504, float.NegativeInfinity }, SafetensorsType.F16);
        writer.Add("scalar", [], new float[] { 7 });
        writer.Add("empty", [0, 5], ReadOnlyMemory<float>.Empty);
        writer.Add("also empty", [0], ReadOnlyMemory<float>.Empty);
        writer.Save(path);

        using var file = SafetensorsFile.Open(path);
        Assert.Equal(["weight", "half", "scalar", "empty", "also empty"], file.Names);
        Assert.Equal("päper \"quoted\"\n", file.Metadata["recipe"]);
        Assert.Equal("", file.Metadata["a"]);
        Assert.Equal([2, 3], file.Get("weight").Shape.ToArray());
        Assert.Equal([1, -2, 3.5f, float.NaN, 1e-30f, -0f], Floats(file, "weight"));
        Assert.Equal(SafetensorsType.F16, file.Get("half").Type);
        Assert.Equal([(float)(Half)0.1f, 65504, float.NegativeInfinity], Floats(file, "half"));
        Assert.Equal(0, file.Get("scalar").Shape.Length);
        Assert.Equal([7], Floats(file, "scalar"));
        Assert.Equal([0, 5], file.Get("empty").Shape.ToArray());
        Assert.Equal(0, file.Get("empty").Count);
    }

    [Fact]
    public void SavedData_StartAtAMultipleOf64AndAreTheSameBytesEachTime()
    {
        for (int nameLength = 1; nameLength < 70; nameLength++)
        {
            byte[] first = Write(new string('n', nameLength)), second = Write(new string('n', nameLength));
            Assert.Equal(first, second);
            Assert.Equal(0, (8 + BitConverter.ToInt64(first)) % 64);
        }

        static byte[] Write(string name)
        {
            var writer = new SafetensorsWriter { Metadata = { ["b"] = "2", ["a"] = "1" } };
            writer.Add(name, [1], new float[] { 1 });
            using var stream = new MemoryStream();
            writer.Write(stream);
            return stream.ToArray();
        }
    }

    /// <summary>The bytes that Python's struct module and json.dumps give: the header unpadded, tensors in any
    /// order.</summary>
    [Fact]
    public void ForeignFile_OfEveryFloatTypeReads()
    {
        byte[] bytes = Bytes(
            """
            {"__metadata__": {"format": "pt"},
            "d": {"dtype": "F64", "shape": [1], "data_offsets": [12, 20]},
            "b": {"dtype": "BF16", "shape": [2], "data_offsets": [8, 12]},
            "f": {"dtype": "F32", "shape": [1, 1], "data_offsets": [4, 8]},
            "h": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
            "i": {"dtype": "I64", "shape": [1], "data_offsets": [20, 28]}}
            """,
            "003c00c0" + "0000803f" + "803f0040" + "000000000000e0bf" + "0500000000000000");

        using var file = SafetensorsFile.Open(new MemoryStream(bytes), "foreign");
        Assert.Equal(["h", "f", "b", "d", "i"], file.Names);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal([1, -2], Floats(file, "h"));
        Assert.Equal([1], Floats(file, "f"));
        Assert.Equal([1, 2], Floats(file, "b"));
        Assert.Equal([-0.5f], Floats(file, "d"));
        Assert.Equal(5, BitConverter.ToInt64(file.Get("i").Bytes));
        var error = Assert.Throws<ModelFormatException>(() => file.ReadFloats("i", new float[1]));
        Assert.Equal(
            "Tensor 'i' of foreign holds I64 values; F16, BF16, F32 or F64 can be read as floats.", error.Message);
    }

    [Fact]
    public void MissingTensor_IsNamedWithWhatThereIs()
    {
        using var file = SafetensorsFile.Open(Small(), "teacher.safetensors");
        Assert.False(file.TryGet("conv3.weight", out _));
        var error = Assert.Throws<ModelFormatException>(() => file.ReadFloats("conv3.weight", []));
        Assert.Equal("teacher.safetensors has no tensor 'conv3.weight'. It holds: a, b.", error.Message);
    }

    [Fact]
    public void ReadFloats_OfAnotherLengthNamesBoth()
    {
        using var file = SafetensorsFile.Open(Small(), "small");
        var error = Assert.Throws<ArgumentException>(() => file.ReadFloats("a", new float[3]));
        Assert.StartsWith(
            "Tensor 'a' of small has 2 values but the destination holds 3.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DisposedFile_RefusesToRead()
    {
        string path = Path.Combine(_folder.FullName, "net.safetensors");
        File.WriteAllBytes(path, Small());
        var file = SafetensorsFile.Open(path);
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.TryGet("a", out _));
    }

    [Fact]
    public void EverySingleFlippedBit_IsRefused()
    {
        byte[] bytes = Small();
        int headerEnd = Array.LastIndexOf(bytes, (byte)'}') + 1, dataStart = bytes.Length - 12;
        int key = bytes.AsSpan().IndexOf("efficientad.checksum"u8), keyEnd = key + "efficientad.checksum".Length;
        for (int i = 0; i < bytes.Length; i++)
        {
            // Without its key there is no checksum, but all else is still whole; the padding means nothing.
            if ((i >= key && i < keyEnd) || (i >= headerEnd && i < dataStart)) continue;
            byte[] damaged = [.. bytes];
            damaged[i] ^= 1;
            Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(damaged, "damaged"));
        }
    }

    [Fact]
    public void EveryCutFile_IsRefused()
    {
        byte[] bytes = Small();
        string path = Path.Combine(_folder.FullName, "cut.safetensors");
        for (int length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(path, bytes[..length]);
            Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path));
        }
    }

    [Fact]
    public void RandomDamage_NeverEscapesAsAnotherException()
    {
        byte[] sound = Bytes(
            """
            {"__metadata__":{"k":"v"},
            "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
            "b":{"dtype":"I8","shape":[2,2],"data_offsets":[8,12]}}
            """,
            "0000803f0000004001020304");
        string[] fragments = [
            "[", "]", "{", "}", "\"", ",", ":", "-1", "99999999999999999999", "1e9", "null", "\\u d800", "\\ud800",
            "\0", "é", "[[[["];
        int refused = 0;
        const int rounds = 20_000;
        for (int round = 0; round < rounds; round++)
        {
            var random = new CounterRandom(1, (ulong)round);
            byte[] bytes = [.. sound];
            for (int change = 0; change < 1 + random.Below(0, 4); change++)
            {
                int at = random.Below((ulong)(change * 4 + 1), bytes.Length);
                string fragment = fragments[random.Below((ulong)(change * 4 + 2), fragments.Length)];
                byte[] insert = random.Below((ulong)(change * 4 + 3), 2) == 0
                    ? Encoding.UTF8.GetBytes(fragment) : [(byte)random.Below((ulong)(change * 4 + 4), 256)];
                bytes = [.. bytes[..at], .. insert, .. bytes[Math.Min(at + insert.Length, bytes.Length)..]];
            }
            try
            {
                using var file = SafetensorsFile.Open(bytes, "fuzzed");
                foreach (string name in file.Names) Assert.True(file.Get(name).Bytes.Length <= bytes.Length);
            }
            catch (ModelFormatException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, rounds / 2, rounds - 1);  // some damage hits values only
    }

    private static byte[] Small()
    {
        var writer = new SafetensorsWriter { Metadata = { ["threshold"] = "0.25" } };
        writer.Add("a", [2], new float[] { 1, 2 });
        writer.Add("b", [1, 1], new float[] { 3 });
        using var stream = new MemoryStream();
        writer.Write(stream);
        return stream.ToArray();
    }

    internal static byte[] Bytes(string header, string hexData)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((ulong)json.Length), .. json, .. Convert.FromHexString(hexData)];
    }

    private static float[] Floats(SafetensorsFile file, string name)
    {
        float[] values = new float[file.Get(name).Count];
        file.ReadFloats(name, values);
        return values;
    }
}
