using EfficientAD.Cli;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Cli;

/// <summary>A tiny data set, a teacher with random weights, and a model that two steps of training made of
/// them.</summary>
public sealed class TrainedModel : IAsyncLifetime
{
    public const int ImageSize = 64, TestGood = 3, TestScratch = 2;

    private readonly TemporaryFolder _folder = new();

    public string Root => _folder.Path;

    public string Data => System.IO.Path.Combine(Root, "plate");

    public string Teacher => System.IO.Path.Combine(Root, "teacher.safetensors");

    public string Model => System.IO.Path.Combine(Root, "plate.safetensors");

    public string TestImages => System.IO.Path.Combine(Data, "test", "good");

    /// <summary>A path in this fixture's folder that nothing uses yet.</summary>
    public string New(string name) => System.IO.Path.Combine(Root, name);

    /// <summary>The options of a run of two steps.</summary>
    public string[] Train(string model, params string[] more) =>
    [
        "train", "--data", Data, "--out", model, "--teacher", Teacher,
        "--input", "64", "--steps", "2", "--threads", "2", .. more,
    ];

    /// <summary>That it succeeded, and warned of nothing but the one image that six leave for the threshold.</summary>
    internal static void AssertTrained(CliRun run)
    {
        Assert.Equal(ExitCode.Success, run.Code);
        string warning = Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.StartsWith("Warning: The threshold rests on the scores of 1 good image;", warning);
    }

    public async ValueTask InitializeAsync()
    {
        WriteImages("train/good", count: 6, first: 0);
        WriteImages("test/good", TestGood, first: 100);
        WriteImages("test/scratch", TestScratch, first: 200, isScratched: true);
        WriteTeacher();
        CliRun run = await CliRun.RunAsync(Train(Model));
        AssertTrained(run);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private void WriteImages(string folder, int count, uint first, bool isScratched = false)
    {
        for (uint i = 0; i < count; i++)
        {
            var image = new RgbImage(ImageSize, ImageSize, NoiseImage.Bytes(3 * ImageSize * ImageSize, first + i));
            var mask = new GreyImage(ImageSize, ImageSize);
            if (isScratched)
            {
                for (int x = 10; x < 50; x++)
                {
                    image.Pixels.AsSpan(3 * (30 * ImageSize + x), 3).Clear();
                    mask.Pixels[30 * ImageSize + x] = 255;
                }

                string masks = Directory.CreateDirectory(System.IO.Path.Combine(Data, "ground_truth/scratch")).FullName;
                ImageWriter.WritePng(System.IO.Path.Combine(masks, $"{i:000}_mask.png"), mask);
            }

            string path = Directory.CreateDirectory(System.IO.Path.Combine(Data, folder)).FullName;
            ImageWriter.WritePng(System.IO.Path.Combine(path, $"{i:000}.png"), image);
        }
    }

    private void WriteTeacher()
    {
        var writer = new SafetensorsWriter();
        var random = new CounterRandom(1, 1);
        int[] channels = [3, 128, 256, 256, 384], kernels = [4, 4, 3, 4];
        ulong index = 0;
        for (int layer = 0; layer < kernels.Length; layer++)
        {
            (int inputs, int outputs, int kernel) = (channels[layer], channels[layer + 1], kernels[layer]);
            int fanIn = inputs * kernel * kernel;
            writer.Add($"conv{layer + 1}.weight", [outputs, inputs, kernel, kernel], Uniform(outputs * fanIn, fanIn));
            writer.Add($"conv{layer + 1}.bias", [outputs], Uniform(outputs, fanIn));
        }

        writer.Save(Teacher);

        float[] Uniform(int count, int fanIn)
        {
            float bound = MathF.Sqrt(6f / fanIn);
            return [.. Enumerable.Range(0, count).Select(_ => random.Uniform(index++, -bound, bound))];
        }
    }
}

[CollectionDefinition("Cli")]
public sealed class CliTests : ICollectionFixture<TrainedModel>;
