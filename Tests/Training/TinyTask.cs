using EfficientAD.Backends.Cpu;
using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

/// <summary>A task small enough for a test: striped parts of 64 x 64 pixels with noise, some of them with a dark spot,
/// and a teacher of random weights, whose features tell spots from stripes well enough.</summary>
internal sealed class TinyTask : IDisposable
{
    public const int Size = 64;

    /// <summary>Fast enough for a test.</summary>
    public static readonly Recipe Recipe = EfficientAD.Training.Recipe.Reference with
    {
        LearningRate = 1e-3f,
        HardQuantile = 0.9f,
        MapOrder = MapOrder.Aligned,
    };

    private readonly TemporaryFolder _folder = new();

    public TinyTask(int trainingImages = 12)
    {
        Root = Directory.CreateDirectory(Path.Combine(_folder.Path, "data")).FullName;
        string train = Directory.CreateDirectory(Path.Combine(Root, "train", "good")).FullName;
        for (int i = 0; i < trainingImages; i++) ImageWriter.WritePng(Path.Combine(train, $"{i:000}.png"), Part(i));
        Directory.CreateDirectory(Path.Combine(Root, "test", "good"));
        ImageWriter.WritePng(Path.Combine(Root, "test", "good", "000.png"), Part(1000));
        TeacherPath = Path.Combine(_folder.Path, "teacher.safetensors");
        WriteRandomTeacher(TeacherPath);
    }

    public string Root { get; }

    public string TeacherPath { get; }

    public string ModelPath => Path.Combine(_folder.Path, "model.safetensors");

    public AnomalyDataset Dataset => DatasetReader.Open(Root);

    public TrainingOptions Options(int steps) => new()
    {
        Recipe = Recipe,
        Steps = steps,
        InputHeight = Size,
        InputWidth = Size,
        TeacherPath = TeacherPath,
        ModelPath = ModelPath,
        Cpu = new CpuOptions { Threads = 2 },
    };

    /// <summary>Part number <paramref name="index"/>; with a spot of radius 6 at (spotX, spotY) where one is
    /// given.</summary>
    public static RgbImage Part(int index, (int X, int Y)? spot = null)
    {
        var random = new CounterRandom(99, (ulong)index);
        float phase = random.Uniform(0, 0, 6.28f);
        var image = new RgbImage(Size, Size);
        for (int y = 0; y < Size; y++)
        {
            for (int x = 0; x < Size; x++)
            {
                float noise = 12 * random.Uniform((ulong)(1 + y * Size + x), -1, 1);
                float value = 130 + 50 * MathF.Sin(x * 0.6f + phase) + noise;
                if (spot is var (spotX, spotY) && (x - spotX) * (x - spotX) + (y - spotY) * (y - spotY) < 36)
                    value = 20 + noise;
                for (int c = 0; c < 3; c++)
                    image.Pixels[3 * (y * Size + x) + c] = (byte)Math.Clamp(value - 10 * c, 0, 255);
            }
        }

        return image;
    }

    public void Dispose() => _folder.Dispose();

    private static void WriteRandomTeacher(string path)
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using var teacher = new PatchDescriptionNetwork(
            backend, PdnSize.Small, PatchDescriptionNetwork.TeacherChannels, padded: false, trainable: false);
        teacher.Initialize(new CounterRandom(7, 0));
        var writer = new SafetensorsWriter();
        foreach (var parameter in teacher.Parameters)
            NetworkWeights.Add(writer, backend, parameter.Name, parameter.Value);
        writer.Save(path);
    }
}
