using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Onnx;
using EfficientAD.Training;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace EfficientAD.Benchmarks;

/// <summary>Our detector and ONNX Runtime on the exported graph, in one process, in turn:
/// <c>Benchmarks paired [S|M] [threads] [calls] [batch]</c>.</summary>
/// <remarks>Both start from 8-bit RGB of 256 x 256 and end with map and score; weights are random.</remarks>
internal static class PairedDetection
{
    private const int Size = 256;

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
        var tensor = new DenseTensor<byte>(pixels, [batch, Size, Size, 3]);
        NamedOnnxValue[] inputs = [NamedOnnxValue.CreateFromTensor("image", tensor)];
        Turns.Print(
            $"{size}, batch {batch}, threads: {threads}", calls,
            ("ONNX Runtime", () => session.Run(inputs, ["map", "score"]).Dispose()),
            ("fast", () => fast.Detect(batch, i => pictures[i].View, maps, results)),
            ("precise", () => precise.Detect(batch, i => pictures[i].View, maps, results)));
    }
}
