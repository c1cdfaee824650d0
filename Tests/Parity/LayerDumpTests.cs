using System.Text;
using EfficientAD.Models;
using EfficientAD.Parity;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Models.Archives;
using EfficientAD.Tests.Models.Import;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Parity;

/// <summary>NumPy's archives: those of numpy itself, and damaged ones.</summary>
public sealed class LayerDumpTests(PublishedFolder published) : IClassFixture<PublishedFolder>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ArraysOfNumPy_AreReadInEveryFloatTypeAndOrder()
    {
        // numpy wrote a big-endian array too, which is refused when the file is opened: see below.
        using LayerDump dump = Open(Without("big_endian"));
        float[] expected = Drawn.Symmetric(14, 0, 2.0, 24);
        Assert.Equal([2, 3, 4], dump.Shape("single"));
        Assert.Equal(expected, dump.Values("single"));
        Assert.Equal(expected, dump.Values("double"));
        Assert.Equal(expected, dump.Values("fortran"));
        Assert.Equal(expected.Select(value => (float)(Half)value), dump.Values("half"));
        Assert.Empty(dump.Shape("scalar"));
        Assert.Equal([1.5f], dump.Values("scalar"));
        var error = Assert.Throws<ModelFormatException>(() => dump.Values("absent"));
        Assert.Contains("docs/parity.md", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("arrays.npz", "is of type &gt;f4; little-endian")]
    [InlineData("compressed.npz", "is compressed (")]
    public void ArraysThatAreNotRead_AreNamed(string file, string reason) => Assert.Contains(
        reason.Replace("&gt;", ">", StringComparison.Ordinal),
        Assert.Throws<ModelFormatException>(() => LayerDump.Open(published[file])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8, null)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 8, "in a storage of 2 values")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }", 8, "the limit")]
    [InlineData(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 8, "no list of numbers")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4000000000), }", 0, null)]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", 8, "is of type |O")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", 8, "its header is not NumPy's")]
    [InlineData("__import__('os').system('id')", 8, "its header is not NumPy's")]
    public void Header_IsParsedNotEvaluated(string header, int bytes, string? reason)
    {
        byte[] text = Encoding.ASCII.GetBytes(header + "\n");
        byte[] npy = [0x93, .. "NUMPY"u8, 1, 0, (byte)text.Length, 0, .. text, .. new byte[bytes]];
        string path = _folder.Write("a.npz", ZipBytes.Write([("a.npy", npy)]));
        if (reason is null)
        {
            using LayerDump dump = LayerDump.Open(path);
            Assert.Equal(bytes / 4, dump.Values("a").Length);
        }
        else
        {
            var error = Assert.Throws<ModelFormatException>(() => LayerDump.Open(path));
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void EveryCutFile_IsRefused()
    {
        byte[] bytes = Without("big_endian");
        for (int length = 0; length < bytes.Length; length += 7)
        {
            string path = _folder.Write("cut.npz", bytes[..length]);
            Assert.Throws<ModelFormatException>(() => LayerDump.Open(path));
        }
    }

    private LayerDump Open(byte[] bytes) => LayerDump.Open(_folder.Write("arrays.npz", bytes));

    /// <summary>numpy's file with one array less.</summary>
    private byte[] Without(string name)
    {
        using var archive = System.IO.Compression.ZipFile.OpenRead(published["arrays.npz"]);
        return ZipBytes.Write(archive.Entries.Where(entry => entry.Name != $"{name}.npy").Select(entry =>
        {
            using var memory = new MemoryStream();
            using Stream content = entry.Open();
            content.CopyTo(memory);
            return (entry.Name, memory.ToArray());
        }).ToArray());
    }
}
