using System.Diagnostics;
using System.Globalization;
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

    // Milliseconds. ONNX Runtime's threads spin for up to 2^20 pauses after a call, some 70 ms at 140 cycles a pause, on
    // cores that the next call needs.
    private const int Pause = 120;

    public static void Run(string[] arguments)
    {
        PdnSize size = arguments.Size(0);
        int threads = arguments.Number(1, Environment.ProcessorCount), calls = arguments.Number(2, 30);
        int batch = arguments.Number(3, 1);
        using var model = new RandomModel(size, Size);
        using var onnx = new MemoryStream();
        using (ModelFile file = ModelFile.Open(model.Path)) OnnxExport.Write(file, includePreprocessing: true, onnx);
        Measure(size, model, onnx.ToArray(), threads, calls, batch);
    }

    private static void Measure(PdnSize size, RandomModel model, byte[] onnx, int threads, int calls, int batch)
    {
        using AnomalyDetector fast = model.Load(DetectionMode.Fast, threads, batch);
        using AnomalyDetector precise = model.Load(DetectionMode.Precise, threads, batch);
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
                Thread.Sleep(Pause);  // the peer's threads still spin
                long start = Stopwatch.GetTimestamp();
                sides[side].Call();
                if (call >= 0) times[side][call] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }

        double[] ratios = [.. sides.Select((_, side) => times[0].Zip(times[side], (peer, ours) => peer / ours).Median())];
        foreach ((int side, (string name, _)) in sides.Index())
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{size}, batch {batch}, {threads} threads, {name}: median {times[side].Median():0.0} ms, least {times[side].Min():0.0} ms, " +
                $"{ratios[side]:0.00} x ONNX Runtime (median of {calls} pairs)"));
        }
    }
}
