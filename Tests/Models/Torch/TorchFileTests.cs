using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using EfficientAD.Models;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Models.Archives;
using EfficientAD.Tests.Models.Import;

namespace EfficientAD.Tests.Models.Torch;

/// <summary>PyTorch files as a whole: damaged, cut off, blown up, of other kinds.</summary>
public sealed class TorchFileTests(PublishedFolder published) : IClassFixture<PublishedFolder>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static byte[] Sound =>
        Archive(new PickleBytes().Letters("}").Text("a").Tensor(4, 0, [2, 2], [2, 1]).Letters("s").End(), new byte[16]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void SoundArchive_GivesItsValues()
    {
        byte[] values = MemoryMarshal.AsBytes<float>([1, -2, 3.5f, float.NaN]).ToArray();
        byte[] transposed = Archive(
            new PickleBytes().Letters("}").Text("a").Tensor(4, 0, [2, 2], [1, 2]).Letters("s").End(), values);
        using WeightsFile file = Open(transposed);
        var read = new float[4];
        file.Get("a").Read(read);
        Assert.Equal([1, 3.5f, -2, float.NaN], read);
        Assert.Throws<ArgumentException>(() => file.Get("a").Read(new float[3]));
    }

    [Theory]
    [InlineData("FloatStorage", 4, "needs 32 bytes of storage '0', which has 16")]
    [InlineData("LongStorage", 1, "holds values of LongStorage; float32")]
    [InlineData("ComplexFloatStorage", 1, "holds values of ComplexFloatStorage")]
    public void ValuesThatAreMissingOrNoFloats_AreRefused(string type, int factor, string reason)
    {
        byte[] pickle = new PickleBytes().Letters("}").Text("a").Tensor(2 * factor, 0, [2], [1], type)
            .Letters("s").End();
        using WeightsFile file = Open(Archive(pickle, new byte[16]));
        var error = Assert.Throws<ModelFormatException>(() => file.Get("a").Read(new float[2]));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Contains("tensor 'a'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void StorageThatNamesAPath_IsOnlyLookedUpInTheArchive()
    {
        byte[] pickle = new PickleBytes().Letters("}").Text("a")
            .Global("torch._utils", "_rebuild_tensor_v2").Letters("(").Storage("../../../etc/passwd", 1)
            .Letters("K\0(K\u0001t(K\u0001ttRs").End();
        using WeightsFile file = Open(Archive(pickle, []));
        var error = Assert.Throws<ModelFormatException>(() => file.Get("a").Read(new float[1]));
        Assert.Contains("has no entry", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FlippedBitInAStorage_IsNoticed()
    {
        byte[] bytes = Sound;
        int name = bytes.AsSpan().IndexOf("x/data/0"u8);
        bytes[name + "x/data/0".Length + 3] ^= 1;
        using WeightsFile file = Open(bytes);
        var error = Assert.Throws<ModelFormatException>(() => file.Get("a").Read(new float[4]));
        Assert.Contains("checksum of 'x/data/0'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryCutArchive_IsRefused()
    {
        byte[] bytes = Sound;
        for (int length = 0; length < bytes.Length; length++) AssertRefused(bytes[..length]);
    }

    [Fact]
    public void EveryCutFileOfTheOldFormat_IsRefused()
    {
        byte[] bytes = File.ReadAllBytes(published["teacher_medium.pth"]);
        for (int length = 0; length < bytes.Length; length += length < 1000 ? 1 : 199) AssertRefused(bytes[..length]);
    }

    [Fact]
    public void RandomDamage_GivesValuesOrARefusal()
    {
        byte[] old = File.ReadAllBytes(published["teacher_medium.pth"]);
        byte[][] files = [Sound, old, File.ReadAllBytes(published["student_final.pth"])];
        int refused = 0;
        const int rounds = 1500;
        for (int round = 0; round < rounds; round++)
        {
            var random = new CounterRandom(3, (ulong)round);
            byte[] bytes = [.. files[round % files.Length]];
            for (uint change = 0; change <= random.Below(0, 3); change++)
            {
                int at = random.Below(2 * change + 1, Math.Min(bytes.Length, 3000));
                bytes[at] = (byte)random.Below(2 * change + 2, 256);
            }

            try
            {
                using WeightsFile file = Open(bytes);
                foreach (string name in file.Names)
                {
                    WeightTensor tensor = file.Get(name);
                    long count = tensor.Shape.Aggregate(1L, (product, extent) => product * extent);
                    if (count < 100_000) tensor.Read(new float[count]);
                }
            }
            catch (ModelFormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, rounds / 4, rounds - 1);
    }

    [Fact]
    public void ManyNamesForTheSameValues_EndAtOnce()
    {
        // Each dictionary holds the one before twice: 2^40 paths, if one followed them all.
        var pickle = new PickleBytes().Letters("}").Add((byte)'q', 0);
        for (byte i = 0; i < 40; i++)
        {
            pickle.Letters("}(").Text("a").Add((byte)'h', i).Text("b").Add((byte)'h', i).Letters("u")
                .Add((byte)'q', (byte)(i + 1));
        }

        byte[] bytes = Archive(new PickleBytes().Letters("(").Add(((byte[])pickle).AsSpan(2)).Letters("t").End(), []);
        using WeightsFile file = Open(bytes);
        Assert.Empty(file.Names);
    }

    [Fact]
    public void ContentThatModulesShare_IsWalkedOnce()
    {
        const int Count = 300;
        string[] names = [.. Enumerable.Range(0, Count).Select(i => $"n{i}")];
        var pickle = new PickleBytes().Letters("}").Add((byte)'q', 1).Letters("(");
        foreach (string name in names) pickle.Text(name).Add(0x88);
        pickle.Letters("u0}").Add((byte)'q', 2).Letters("(").Text("_modules").Add((byte)'h', 1).Letters("u0}(");
        foreach (string name in names)
            pickle.Text(name).Global("torch.nn", "Module").Letters(")").Add(0x81, (byte)'h', 2).Letters("b");
        using WeightsFile file = Open(Archive(pickle.Letters("u").End(), []));
        Assert.Equal(2 * Count, file.Facts.Count);  // their classes, and the content of the first
        Assert.Equal(true, file.Facts["n0.n299"]);
    }

    [Fact]
    public void NodesOfOmegaConf_AreWhatTheyHold()
    {
        PickleBytes configuration = PickleBytes.Configuration(
            PickleBytes.Node(pickle => pickle.Add(0x88)),
            PickleBytes.List(
                PickleBytes.Node(pickle => pickle.Integer(512)), PickleBytes.Node(pickle => pickle.Integer(256))));
        using WeightsFile file = Open(Archive(
            new PickleBytes().Letters("}").Text("hyper_parameters").Append(configuration).Letters("s").End(), []));
        var expected = new Dictionary<string, object>
        {
            ["hyper_parameters.model.padding"] = true,
            ["hyper_parameters.dataset.image_size.0"] = 512L,
            ["hyper_parameters.dataset.image_size.1"] = 256L,
        };
        Assert.Equal(expected.OrderBy(fact => fact.Key), file.Facts.OrderBy(fact => fact.Key));
    }

    [Theory]
    [InlineData(0x0280)]
    [InlineData(0x0380)]
    [InlineData(0x0480)]
    [InlineData(0x0580)]
    public void SafetensorsWhoseLengthStartsLikeAPickle_AreRead(int length)
    {
        string header = """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""".PadRight(length);
        using WeightsFile file = Open(SafetensorsTests.Bytes(header, "0000803f"));
        var values = new float[1];
        file.Get("a").Read(values);
        Assert.Equal(("safetensors", 1f), (file.Format, values[0]));
    }

    [Fact]
    public void Folder_IsNoLackOfRights()
    {
        var error = Assert.Throws<IOException>(() => WeightsFile.Open(_folder.Path));
        Assert.Equal($"{_folder.Path} is a folder; name a file.", error.Message);
    }

    [Fact]
    public void NestingBeyondEveryModel_IsRefused()
    {
        var pickle = new PickleBytes();
        for (int i = 0; i < 100; i++) pickle.Letters("}").Text("x");
        pickle.Letters("N").Letters(new string('s', 100)).End();
        AssertRefused(Archive(pickle, []), "deeper than 64 levels");
    }

    [Fact]
    public void LongNameOfManyEntries_IsRefused()
    {
        var pickle = new PickleBytes().Letters("}").Text(new string('x', 1_000_000)).Letters("q\0](K\u0001");
        for (int i = 0; i < 100; i++) pickle.Letters("K\u0001");
        AssertRefused(Archive(pickle.Letters("es").End(), []), "names of more than 32000000 characters");
    }

    [Fact]
    public void ZipBomb_IsRefusedUnopened()
    {
        using var memory = new MemoryStream();
        using (var archive = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        using (Stream entry = archive.CreateEntry("x/data.pkl", CompressionLevel.SmallestSize).Open())
            entry.Write(new byte[50_000_000]);
        AssertRefused(memory.ToArray(), "'x/data.pkl' is compressed (");
    }

    [Fact]
    public void EntriesThatShareBytes_AreRefused()
    {
        byte[] bytes = ZipBytes.Write(
            [("x/data.pkl", new byte[100]), ("x/data/0", new byte[100])], (archive, directory) =>
        {
            int second = directory + 46 + "x/data.pkl".Length;
            BinaryPrimitives.WriteInt32LittleEndian(archive.AsSpan(second + 42), 20);
        });
        AssertRefused(bytes, "share bytes");
    }

    [Theory]
    [InlineData(0, "'x/data/0' and 'x/data.pkl' share bytes")]
    [InlineData(30 + 10 + 100, "'x/data/0' reaches into the directory")]
    public void ExtraFieldThatMovesContentIntoTheNext_IsRefused(int header, string reason) => AssertRefused(
        ZipBytes.Write(
            [("x/data.pkl", new byte[100]), ("x/data/0", new byte[100])],
            (archive, _) => BinaryPrimitives.WriteUInt16LittleEndian(archive.AsSpan(header + 28), 50)),
        reason);

    [Theory]
    [InlineData(20, 0x7fffffff, "would take")]          // length of the first entry
    [InlineData(28, 0x7fff, "is cut off")]              // length of its name
    [InlineData(8, 1, "is encrypted")]                  // flags
    public void ForgedDirectory_IsRefused(int field, int value, string reason)
    {
        byte[] bytes = ZipBytes.Write([("x/data.pkl", new byte[100])], (archive, directory) =>
        {
            if (value > ushort.MaxValue)
                BinaryPrimitives.WriteInt32LittleEndian(archive.AsSpan(directory + field), value);
            else BinaryPrimitives.WriteUInt16LittleEndian(archive.AsSpan(directory + field), (ushort)value);
        });
        AssertRefused(bytes, reason);
    }

    [Fact]
    public void OtherKindsOfFiles_AreNamed()
    {
        AssertRefused(ZipBytes.Write([("m/data.pkl", [.. "}."u8]), ("m/constants.pkl", [])]), "TorchScript");
        AssertRefused(ZipBytes.Write([("teacher_small.pth", [1])]), "holds teacher_small.pth. Unpack it");
        AssertRefused(ZipBytes.Write([("a.txt", [1])]), "not one written by torch.save");
        AssertRefused(new PickleBytes().Letters("N").End(), "is a pickle, but not one written by torch.save");
        AssertRefused("<?xml version=\"1.0\"?>"u8.ToArray(), "of no format that weights are read from");
        AssertRefused([], "is empty");
        AssertRefused(ZipBytes.Write([("x/data.pkl", [.. "}."u8]), ("x/byteorder", [.. "big"u8])]), "big-endian");
    }

    private static byte[] Archive(byte[] pickle, byte[] storage) =>
        ZipBytes.Write([("x/data.pkl", pickle), ("x/data/0", storage), ("x/version", Encoding.ASCII.GetBytes("3\n"))]);

    private WeightsFile Open(byte[] bytes) => WeightsFile.Open(_folder.Write("weights.pth", bytes));

    private void AssertRefused(byte[] bytes, string reason = "")
    {
        string path = _folder.Write("weights.pth", bytes);
        var error = Assert.Throws<ModelFormatException>(() =>
        {
            using WeightsFile file = WeightsFile.Open(path);
            foreach (WeightTensor tensor in file.Names.Select(file.Get))
                tensor.Read(new float[Math.Min(1000, tensor.Shape.Aggregate(1L, (count, extent) => count * extent))]);
        });
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
