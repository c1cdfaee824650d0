using System.IO.Compression;
using System.Text;
using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;
using EfficientAD.Tests.Models.Archives;
using EfficientAD.Tests.Models.Onnx;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Models.Import;

/// <summary>The files that published_weights.py wrote with PyTorch, unpacked into a folder, and what is in
/// them.</summary>
public sealed class PublishedFolder : IDisposable
{
    private const double Amplitude = 0.06;
    private static readonly int[] Strides = [1, 3, 37, 11];

    private readonly TemporaryFolder _folder = new();

    public string Root => _folder.Path;

    /// <summary>The path of one of the files, or of one that does not exist yet.</summary>
    public string this[string name]
    {
        get
        {
            string path = Path.Combine(Root, name);
            if (!File.Exists(path) && Read(name) is { } bytes) File.WriteAllBytes(path, bytes);
            return path;
        }
    }

    /// <summary>The ONNX model with the weights that were cut out to keep it small.</summary>
    public string CompleteOnnx()
    {
        string path = Path.Combine(Root, "complete.onnx");
        if (!File.Exists(path))
            File.WriteAllBytes(path, OnnxCompletion.Complete(Read("anomalib_2.onnx")!, this["anomalib_2.ckpt"]));
        return path;
    }

    /// <summary>anomalib's checkpoint with another pickle.</summary>
    public string Checkpoint(string name, Func<byte[], byte[]> change)
    {
        using var archive = ZipFile.OpenRead(this["anomalib_2.ckpt"]);
        string path = Path.Combine(Root, name);
        File.WriteAllBytes(path, ZipBytes.Write(archive.Entries.Select(entry =>
        {
            using var memory = new MemoryStream();
            using (Stream content = entry.Open()) content.CopyTo(memory);
            return (entry.FullName, entry.Name == "data.pkl" ? change(memory.ToArray()) : memory.ToArray());
        })));
        return path;
    }

    /// <summary>The checkpoint with one of its hyper-parameters, a truth value, changed.</summary>
    public string Switched(string parameter, bool to) => Checkpoint($"{parameter}.ckpt", pickle =>
    {
        int name = pickle.AsSpan().LastIndexOf(Encoding.UTF8.GetBytes(parameter));
        int value = name + pickle.AsSpan(name).IndexOf(to ? (byte)0x89 : (byte)0x88);
        Assert.InRange(value - name - parameter.Length, 0, 5);  // only the key's place in the memo lies between
        pickle[value] = to ? (byte)0x88 : (byte)0x89;
        return pickle;
    });

    /// <summary>A data set of ten noise pictures, as the script draws them.</summary>
    public string DataSet()
    {
        string folder = Directory.CreateDirectory(Path.Combine(Root, "noise", "train", "good")).FullName;
        string test = Directory.CreateDirectory(Path.Combine(Root, "noise", "test", "good")).FullName;
        if (!File.Exists(Path.Combine(test, "000.png")))
            ImageWriter.WritePng(Path.Combine(test, "000.png"), Picture(100));
        for (int i = 0; i < 10; i++)
        {
            string path = Path.Combine(folder, $"{i:000}.png");
            if (!File.Exists(path)) ImageWriter.WritePng(path, Picture(i));
        }

        return Path.Combine(Root, "noise");
    }

    /// <summary><c>picture</c> in the script.</summary>
    public static RgbImage Picture(int index)
    {
        var random = new CounterRandom(13, (ulong)index);
        var image = new RgbImage(256, 256);
        for (int i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = (byte)(random.Uniform((ulong)i) * 256f);
        return image;
    }

    /// <summary><c>share</c> in the script: every parameter is a view of one storage.</summary>
    public static IEnumerable<(string Name, float[] Values)> Expected(Network network, ulong seed)
    {
        Parameter[] parameters = [.. network.Parameters];
        int Last(int t) =>
            parameters[t].Value.Shape is { C: var c, H: var h, W: var w, N: var n }
                && parameters[t].Name.EndsWith("weight", StringComparison.Ordinal)
            ? t + Place(n - 1, c - 1, h - 1, w - 1)
            : t + (int)parameters[t].Value.Shape.Count - 1;
        float[] storage = Drawn.Symmetric(seed, 0, Amplitude, 1 + Enumerable.Range(0, parameters.Length).Max(Last));
        for (int t = 0; t < parameters.Length; t++)
        {
            Shape shape = parameters[t].Value.Shape;
            bool isWeight = parameters[t].Name.EndsWith("weight", StringComparison.Ordinal);
            var values = new List<float>();
            for (int n = 0; n < shape.N; n++)
                for (int c = 0; c < shape.C; c++)
                    for (int h = 0; h < shape.H; h++)
                        for (int w = 0; w < shape.W; w++)
                            values.Add(storage[t + (isWeight ? Place(n, c, h, w) : c)]);
            yield return (parameters[t].Name, [.. values]);
        }
    }

    private static int Place(int n, int c, int h, int w) =>
        n * Strides[0] + c * Strides[1] + h * Strides[2] + w * Strides[3];

    public static float[] Download(IBackend backend, Tensor tensor)
    {
        var values = new float[tensor.Shape.Count];
        backend.Download(tensor, values);
        return values;
    }

    public void Dispose() => _folder.Dispose();

    private static byte[]? Read(string name)
    {
        using Stream? stream = typeof(PublishedFolder).Assembly.GetManifestResourceStream($"published/{name}");
        if (stream is null) return null;
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
