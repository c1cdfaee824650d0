using System.Diagnostics;
using System.Globalization;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Onnx;
using EfficientAD.Training;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace EfficientAD.Benchmarks;

/// <summary>Our detector and ONNX Runtime on the exported graph, in one process, call after call in turn, so that what else
/// the machine does hits both: <c>dotnet run -c Release --project Benchmarks -- paired [S|M] [threads] [calls] [batch]</c>.</summary>
/// <remarks>Both start from 8-bit RGB of 256 x 256 and end with map and score; weights are random.</remarks>
internal static class PairedDetection
{
    private const int Size = 256;

    // Milliseconds between calls: ONNX Runtime's threads spin for a while after a call, on cores that the next call needs.
    private const int Pause = 20;

    public static void Run(string[] arguments)
    {
        PdnSize size = arguments.Length > 0 && arguments[0] == "M" ? PdnSize.Medium : PdnSize.Small;
        int threads = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : Environment.ProcessorCount;
        int calls = arguments.Length > 2 ? int.Parse(arguments[2], CultureInfo.InvariantCulture) : 30;
        int batch = arguments.Length > 3 ? int.Parse(arguments[3], CultureInfo.InvariantCulture) : 1;
        string folder = Directory.CreateTempSubdirectory("efficientad").FullName;
        try
        {
            string model = Path.Combine(folder, "model.safetensors"), onnx = Path.Combine(folder, "model.onnx");
            SaveRandomModel(size, model);
            using (ModelFile file = ModelFile.Open(model))
            using (FileStream stream = File.Create(onnx))
                OnnxExport.Write(file, includePreprocessing: true, stream);
            Measure(size, model, onnx, threads, calls, batch);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Measure(PdnSize size, string model, string onnx, int threads, int calls, int batch)
    {
        var cpu = new DetectorOptions { Device = new Device(DeviceKind.Cpu), Threads = threads, Batch = batch };
        using var fast = AnomalyDetector.Load(model, cpu with { Mode = DetectionMode.Fast });
        using var precise = AnomalyDetector.Load(model, cpu with { Mode = DetectionMode.Precise });
        using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1 };
        using var session = new InferenceSession(onnx, options);
        RgbImage[] pictures = [.. Enumerable.Range(0, batch).Select(i => NaturalTexture.Render(seed: 1, i, Size))];
        AnomalyMap[] maps = [.. pictures.Select(_ => new AnomalyMap(Size, Size))];
        var results = new DetectionResult[batch];
        byte[] pixels = [.. pictures.SelectMany(picture => picture.Pixels)];
        NamedOnnxValue[] inputs = [NamedOnnxValue.CreateFromTensor("image", new DenseTensor<byte>(pixels, [batch, Size, Size, 3]))];
        (string Name, Action Call)[] sides =
        [
            ("ONNX Runtime", () => session.Run(inputs, ["map", "score"]).Dispose()),
            ("fast", () => fast.Detect(batch, i => pictures[i].View, maps, results)),
            ("precise", () => precise.Detect(batch, i => pictures[i].View, maps, results)),
        ];
        double[][] times = [.. sides.Select(_ => new double[calls])];
        for (int call = -3; call < calls; call++)
            for (int side = 0; side < sides.Length; side++)
            {
                Thread.Sleep(Pause);
                long start = Stopwatch.GetTimestamp();
                sides[side].Call();
                if (call >= 0) times[side][call] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }

        double[] ratios = [.. sides.Select((_, side) => Median(times[0].Zip(times[side], (peer, ours) => peer / ours)))];
        foreach ((int side, (string name, _)) in sides.Index())
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{size}, batch {batch}, {threads} threads, {name}: median {Median(times[side]):0.0} ms, least {times[side].Min():0.0} ms, " +
                $"{ratios[side]:0.00} x ONNX Runtime (median of {calls} pairs)"));
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static void SaveRandomModel(PdnSize size, string path)
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using DetectionNetworks networks = RandomNetworks.Create(backend, size, trainable: false);
        ModelFile.Save(path, Information(size), networks);
    }

    private static ModelInformation Information(PdnSize size) => new()
    {
        Size = size,
        Padded = false,
        MapOrder = MapOrder.Reference,
        InputHeight = Size,
        InputWidth = Size,
        ImageHeight = Size,
        ImageWidth = Size,
        Scaling = new MapScaling(0, 1, 0, 1),
        Calibration = new Calibration(1, 1, Calibration.DefaultFalsePositiveRate, 1),
        Recipe = "none",
        Deviations = "",
        Seed = 1,
        Steps = 0,
        Data = "random weights",
        DataHash = "none",
        TrainingImages = 1,
        ValidationImages = 1,
        Teacher = "random",
        Penalty = "none",
    };
}
