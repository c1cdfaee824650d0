using EfficientAD.Backends;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Onnx;
using EfficientAD.Training;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace EfficientAD.Cli.Runs;

/// <summary>How far ONNX Runtime's outputs lie from ours.</summary>
/// <param name="Map">The largest difference of two map values.</param>
/// <param name="Score">The difference of the scores.</param>
/// <param name="Range">The map's largest magnitude, to read the differences by.</param>
internal readonly record struct OnnxDifference(float Map, float Score, float Range);

/// <summary>Runs an exported graph on a rendered picture, twice in one batch, and compares it with the
/// detector.</summary>
internal static class OnnxCheck
{
    // Both sum thousands of products per layer in float; maps square a difference of sums.
    private const float Tolerance = 1e-3f;

    /// <exception cref="InvalidOperationException">The outputs differ by more than rounding can explain.</exception>
    public static OnnxDifference Compare(string onnx, string model, bool takesRgb)
    {
        var options = new DetectorOptions
        {
            Device = new Device(DeviceKind.Cpu),
            AcceptAnySize = true,
            Mode = DetectionMode.Plain,
        };
        using AnomalyDetector detector = AnomalyDetector.Load(model, options);
        (int height, int width) = (detector.Information.InputHeight, detector.Information.InputWidth);
        // A picture of the size at which the networks see it: whole, or inside its frame.
        FittedArea area = OnnxExport.AreaOf(detector.Information);
        RgbImage picture = PillowResize.Resize(
            NaturalTexture.Render(seed: 1, index: 0, Math.Max(height, width)).View, area.Height, area.Width);
        DetectionResult ours = detector.Detect(picture.View);
        if (detector.Information.Fit == ImageFit.Letterbox)
        {
            ImageView canvas =
                new InputCanvas(ImageFit.Letterbox, height, width).Draw(picture.View, ColourAdjustment.None);
            picture = new RgbImage(width, height, canvas.Pixels.ToArray());
        }


        using var session = new InferenceSession(onnx);
        NamedOnnxValue[] inputs =
        [
            .. session.InputMetadata.Keys.Select(name => name == "image"
                ? Input(name, picture, height, width, takesRgb)
                : Input(name, picture, Autoencoder.InputSize, Autoencoder.InputSize, takesRgb)),
        ];
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> results = session.Run(inputs, ["map", "score"]);
        float[] map = [.. results[0].AsEnumerable<float>()], score = [.. results[1].AsEnumerable<float>()];
        return Require(onnx, Difference(ours, map, score));
    }

    private static OnnxDifference Difference(DetectionResult ours, float[] map, float[] scores)
    {
        float[] expected = ours.Map!.Values;
        float largest = 0, range = 0;
        for (int i = 0; i < map.Length; i++)
        {
            float value = expected[i % expected.Length];
            largest = Math.Max(largest, Math.Abs(map[i] - value));
            range = Math.Max(range, Math.Abs(value));
        }

        return new OnnxDifference(largest, scores.Max(score => Math.Abs(score - ours.Score)), range);
    }

    private static OnnxDifference Require(string onnx, OnnxDifference difference) =>
        difference.Map <= Tolerance * difference.Range && difference.Score <= Tolerance * difference.Range
            ? difference
            : throw new InvalidOperationException(
                $"{onnx}: ONNX Runtime's map differs from ours by {difference.Map} (values up to " +
                $"{difference.Range}), its score by {difference.Score}. The file is wrong, or this runtime is; do " +
                "not use it.");

    /// <summary>The picture twice, so that the batch is seen to be free.</summary>
    private static NamedOnnxValue Input(string name, RgbImage picture, int height, int width, bool takesRgb)
    {
        const int Batch = 2;
        if (takesRgb)
        {
            byte[] rgb = PillowResize.Resize(picture.View, height, width).Pixels;
            var pixels = new DenseTensor<byte>((byte[])[.. rgb, .. rgb], [Batch, height, width, 3]);
            return NamedOnnxValue.CreateFromTensor(name, pixels);
        }

        var values = new float[3 * height * width];
        new Preprocessing().Run(picture.View, ColourAdjustment.None, height, width, height, width, values);
        var planes = new DenseTensor<float>((float[])[.. values, .. values], [Batch, 3, height, width]);
        return NamedOnnxValue.CreateFromTensor(name, planes);
    }
}
