using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Evaluation;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;
using EfficientAD.Training;

namespace EfficientAD.Tests.Detection;

/// <summary>Logical anomalies that only the global branch can see, through calibration, detector and
/// evaluation.</summary>
/// <remarks>
/// The networks are made by hand. The student's first half is 0.9 times the teacher, so that its error tells nothing.
/// The second half is the teacher; the autoencoder always predicts the same thing: what the teacher makes of dark in
/// two rectangles on the diagonal, and of bright elsewhere. Good pictures look like that, anomalous ones are their
/// mirror images: the same patches in other places.
/// </remarks>
public sealed class GlobalBranchTests : IDisposable
{
    private const int Size = 160, Each = 6;

    // Each of the decoder's 4 x 4 convolutions adds a row that copies nothing: what it holds shrinks by n / (n + 1).
    private const double Extent = 8 / 9.0 * 15 / 16 * 32 / 33 * 63 / 64 * 127 / 128;

    private readonly TemporaryFolder _folder = new();
    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 2 });

    [Fact]
    public void MirroredParts_AreSeenByTheGlobalMapAlone()
    {
        EvaluationResult result = Evaluate(SaveModel());
        // It has no reason to rank the mirrored parts higher.
        Assert.InRange(result.Local!.Overall.ImageAuroc!.Value, 0, 0.9);
        Assert.InRange(result.Global!.Overall.ImageAuroc!.Value, 0.95, 1);
        Assert.InRange(result.Overall.ImageAuroc!.Value, 0.95, 1);
    }

    public void Dispose()
    {
        _backend.Dispose();
        _folder.Dispose();
    }

    private EvaluationResult Evaluate(string model)
    {
        string good = Directory.CreateDirectory(Path.Combine(_folder.Path, "good")).FullName;
        for (int i = 0; i < Each; i++) ImageWriter.WritePng(Path.Combine(good, $"{i}.png"), Part(i));
        AnomalyDataset dataset = DatasetReader.Open(good);
        string calibrated = Path.Combine(_folder.Path, "calibrated.safetensors");
        var options =
            new CalibrationOptions { ModelPath = model, OutputPath = calibrated, Cpu = new CpuOptions { Threads = 2 } };
        using (var calibrator = new ModelCalibrator(dataset, options))
            calibrator.Run(null, TestContext.Current.CancellationToken);

        using AnomalyDetector detector = AnomalyDetector.Load(calibrated, new DetectorOptions { Threads = 2 });
        using var evaluator = new Evaluator(dataset, ImageReader.Default.ReadMask, _folder.Path);
        for (int i = 0; i < Each; i++)
        {
            Add("good", Part(100 + i));
            Add("mirrored", Mirrored(Part(200 + i)));
        }

        return evaluator.Complete();

        void Add(string defect, RgbImage image) => evaluator.AddBranches(
            new TestSample(Path.Combine(good, defect), defect, []), detector.DetectBranches(image.View));
    }

    private string SaveModel()
    {
        using var networks = new DetectionNetworks(_backend, PdnSize.Small, padded: false, trainable: false);
        networks.Teacher.Initialize(new CounterRandom(5, 0));
        networks.Student.CopyHiddenLayersFrom(networks.Teacher);
        _backend.Fill(0, networks.Mean);
        _backend.Fill(1, networks.Deviation);
        LayerWeights last = LayerWeights.Of(_backend, networks.Teacher.Layers[^1]);
        LayerWeights student = Scaled(last, 0.9f).Above(last);
        _backend.Upload(student.Weights, networks.Student.Layers[^1].Weights.Value);
        _backend.Upload(student.Bias, networks.Student.Layers[^1].Bias.Value);
        MakeDiagonal(networks.Autoencoder, Features(networks.Teacher, Dark), Features(networks.Teacher, Bright));
        string path = Path.Combine(_folder.Path, "model.safetensors");
        ModelFile.Save(path, MadeUpModel.Information(Size, Size), networks);
        return path;
    }

    private static LayerWeights Scaled(LayerWeights layer, float factor) => new(
        layer.Shape, [.. layer.Weights.Select(value => factor * value)],
        [.. layer.Bias.Select(value => factor * value)]);

    /// <summary>An autoencoder whose output is dark's features in the upper left and in the middle, bright's
    /// elsewhere.</summary>
    private void MakeDiagonal(Autoencoder autoencoder, float[] dark, float[] bright)
    {
        foreach (var parameter in autoencoder.Parameters) _backend.Fill(0, parameter.Value);
        Set(autoencoder.Layers[5], [], 1);  // the code: one, whatever the image
        for (int i = 6; i < autoencoder.Layers.Count - 1; i++)
        {
            ConvolutionLayer layer = autoencoder.Layers[i];
            int kernel = layer.Weights.Value.Shape.H, centre = kernel / 2;
            // From 3 rows to 4: output y sees y - 2 to y + 1. The last tap reaches a row only from the upper half, the
            // first only from the lower one. From then on values stay where they are.
            if (i == 6) Set(layer, [(0, 0, 3, 3), (1, 0, 0, 0)], 0);
            else Set(layer, [(0, 0, centre, centre), (1, 1, centre, centre)], 0);
        }

        ConvolutionLayer output = autoencoder.Layers[^1];
        Shape shape = output.Weights.Value.Shape;
        var weights = new float[shape.Count];
        for (int o = 0; o < shape.N; o++)
        {
            for (int channel = 0; channel < 2; channel++)
                weights[(o * shape.C + channel) * shape.Plane + shape.Plane / 2] = dark[o] - bright[o];
        }

        _backend.Upload(weights, output.Weights.Value);
        _backend.Upload(bright, output.Bias.Value);
    }

    private void Set(ConvolutionLayer layer, (int Output, int Input, int Y, int X)[] ones, float firstBias)
    {
        Shape shape = layer.Weights.Value.Shape;
        var weights = new float[shape.Count];
        foreach ((int output, int input, int y, int x) in ones)
            weights[((output * shape.C + input) * shape.H + y) * shape.W + x] = 1;
        var bias = new float[shape.N];
        bias[0] = firstBias;
        _backend.Upload(weights, layer.Weights.Value);
        _backend.Upload(bias, layer.Bias.Value);
    }

    private float[] Features(PatchDescriptionNetwork teacher, byte level)
    {
        using var tape = new Tape(_backend);
        using Tensor image = _backend.Allocate(new Shape(1, 3, 33, 33));
        RgbImage plain = Render(0, (_, _) => level);
        _backend.Preprocess(plain.View, ColourAdjustment.None, 33, 33, image);
        Tensor features = teacher.Forward(tape, Variable.Constant(image)).Value;
        tape.Forward();
        return _backend.Download(features);
    }

    private const byte Dark = 60, Bright = 190;

    private static RgbImage Part(int index)
    {
        double half = Place(Extent / 2), end = Place(Extent);
        return Render(
            index, (x, y) => (x < half && y < half) || (x >= half && y >= half && x < end && y < end) ? Dark : Bright);

        // The autoencoder's output lies over the patches' centres, from 16.5 pixels on.
        static double Place(double share) => 14.5 + 4 * PatchDescriptionNetwork.OutputSize(Size, padded: false) * share;
    }

    private static RgbImage Mirrored(RgbImage image)
    {
        var mirrored = new RgbImage(Size, Size);
        for (int i = 0; i < Size * Size; i++)
        {
            int opposite = i / Size * Size + Size - 1 - i % Size;
            image.Pixels.AsSpan(3 * i, 3).CopyTo(mirrored.Pixels.AsSpan(3 * opposite, 3));
        }

        return mirrored;
    }

    private static RgbImage Render(int index, Func<int, int, byte> level)
    {
        var random = new CounterRandom(17, (ulong)index);
        var image = new RgbImage(Size, Size);
        for (int i = 0; i < Size * Size; i++)
            image.Pixels.AsSpan(3 * i, 3).Fill((byte)(level(i % Size, i / Size) + random.Uniform((ulong)i, -4, 4)));
        return image;
    }
}
