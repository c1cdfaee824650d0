using EfficientAD.Backends.Cpu;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Detection;

/// <summary>A trained model, ready to judge images.</summary>
/// <remarks>Thread-safe: calls from several threads are served one after another. Several detectors run side by side; give
/// each its share of the threads.</remarks>
public sealed class AnomalyDetector : IDisposable
{
    // Below this a frame is no picture of a part.
    private const int SmallestSide = 16;

    private readonly Lock _lock = new();
    private readonly DetectorOptions _options;
    private readonly CpuBackend _backend;
    private readonly Network[] _networks;
    private readonly Tensor _mean, _deviation;
    private readonly DetectionPlan _plan;
    private bool _isDisposed;

    private AnomalyDetector(ModelFile model, DetectorOptions options)
    {
        (_options, Information) = (options, model.Information);
        Threshold = Information.Calibration.Threshold;
        _backend = new CpuBackend(new CpuOptions { Threads = options.Threads });
        var teacher = new PatchDescriptionNetwork(
            _backend, Information.Size, PatchDescriptionNetwork.TeacherChannels, Information.Padded, trainable: false);
        var student = new PatchDescriptionNetwork(
            _backend, Information.Size, 2 * PatchDescriptionNetwork.TeacherChannels, Information.Padded, trainable: false);
        var autoencoder = new Autoencoder(_backend, trainable: false);
        _networks = [teacher, student, autoencoder];
        _mean = _backend.Allocate(Shape.Vector(PatchDescriptionNetwork.TeacherChannels));
        _deviation = _backend.Allocate(Shape.Vector(PatchDescriptionNetwork.TeacherChannels));
        model.Load(_backend, teacher, student, autoencoder, _mean, _deviation);
        _plan = new DetectionPlan(
            _backend, teacher, student, autoencoder, _mean, _deviation,
            Information.MapOrder, Information.InputHeight, Information.InputWidth, options.Mode);
    }

    /// <summary>What the model's file says of it.</summary>
    public ModelInformation Information { get; }

    /// <summary>A score above it is anomalous; starts as the model's own and may be changed at any time. No unit.</summary>
    public float Threshold { get; set; }

    /// <summary>Loads a model from a file; the file may be deleted afterwards.</summary>
    /// <exception cref="ModelFormatException">The file is no model, or is damaged.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static AnomalyDetector Load(string path, DetectorOptions? options = null)
    {
        using ModelFile model = ModelFile.Open(path);
        return new AnomalyDetector(model, options ?? new DetectorOptions());
    }

    /// <summary>Scores one image; higher means more anomalous.</summary>
    /// <param name="image">8-bit pixels of any format; resized to the model's input size.</param>
    /// <returns>Verdict, score and the combined map at the image's own size. Never throws for what an image shows: a frame
    /// that cannot be judged is <see cref="Verdict.Invalid"/> and says why.</returns>
    public DetectionResult Detect(ImageView image) => Detect(image, new AnomalyMap(image.Width, image.Height));

    /// <summary>Scores one image into a map that is used again and again, so that nothing large is allocated.</summary>
    /// <param name="image">8-bit pixels of any format.</param>
    /// <param name="map">Overwritten; of the image's size. Null if only the score is wanted.</param>
    /// <exception cref="ArgumentException">The map has another size than the image.</exception>
    public DetectionResult Detect(ImageView image, AnomalyMap? map)
    {
        if (map is not null && (map.Width != image.Width || map.Height != image.Height))
            throw new ArgumentException($"The map is {map.Width} x {map.Height} but the image {image.Width} x {image.Height}.", nameof(map));
        if (FindFault(image) is { } fault) return DetectionResult.Invalid(fault);

        float score;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _plan.ComputeMaps(image);
            score = _plan.Combine(Information.Scaling, image.Height, image.Width, map is null ? [] : map.Values);
        }

        if (!float.IsFinite(score))
            return DetectionResult.Invalid("The anomaly map is not finite; the model's weights are damaged or do not fit this picture.");
        Verdict verdict = score > Threshold ? Verdict.Anomalous : Verdict.Good;
        return new DetectionResult(verdict, score, Information.Calibration.Calibrate(score), map, null);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            _plan.Dispose();
            foreach (Network network in _networks) network.Dispose();
            _mean.Dispose();
            _deviation.Dispose();
            _backend.Dispose();
        }
    }

    private string? FindFault(ImageView image)
    {
        if (image.Width < SmallestSide || image.Height < SmallestSide)
            return $"The picture is {image.Width} x {image.Height}; at least {SmallestSide} x {SmallestSide} pixels are needed.";
        bool anySize = _options.AcceptAnySize || Information.ImageHeight == 0;
        if (!anySize && (image.Width != Information.ImageWidth || image.Height != Information.ImageHeight))
        {
            return $"The picture is {image.Width} x {image.Height} but the model was trained on {Information.ImageWidth} x " +
                   $"{Information.ImageHeight}. Accept any size if that is meant.";
        }

        return FrameCheck.FindFault(image);
    }
}
