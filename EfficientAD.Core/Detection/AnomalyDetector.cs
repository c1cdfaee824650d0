using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Networks.Quantization;

namespace EfficientAD.Detection;

/// <summary>A trained model, ready to judge images.</summary>
/// <remarks>Thread-safe: calls from several threads are served one after another. Several detectors run side by side;
/// give each its share of the threads.</remarks>
public sealed class AnomalyDetector : IDisposable
{
    // Below this a frame is no picture of a part.
    private const int SmallestSide = 16;

    private readonly Lock _lock;
    private readonly DetectorOptions _options;
    private readonly IBackend _backend;
    private readonly bool _ownsBackend;
    private readonly DetectionNetworks _networks;
    private readonly DetectionPlan _plan;
    private readonly (int Image, int Width, int Height)[] _batch;
    private readonly string? _refusal;
    private readonly PooledFeatures? _pooled;
    private readonly PooledDistribution? _distribution;
    private bool _isDisposed;

    private AnomalyDetector(ModelFile model, IBackend backend, bool ownsBackend, DetectorOptions options)
        : this(model, backend, options, set: null, teacher: null) => _ownsBackend = ownsBackend;

    /// <param name="set">Owns the teacher, where there is a set.</param>
    internal AnomalyDetector(
        ModelFile model, IBackend backend, DetectorOptions options, ProductSet? set, SharedTeacher? teacher)
    {
        (Set, Teacher, _lock) = (set, teacher, set?.Lock ?? new Lock());
        (_options, _backend, Information) = (options, backend, model.Information);
        Threshold = Information.Calibration.Threshold;
        _distribution = model.LoadPooled();
        if (_distribution is not null && options.Tile > 0)
        {
            throw new ArgumentException(
                "The model has a head on pooled features, which needs the whole input: do not ask for tiles.",
                nameof(options));
        }

        _networks = teacher is null ? model.Load(_backend) : model.Load(_backend, teacher.Network);
        // The head reads the plan's input, which a CUDA device's fused plan keeps to itself.
        DetectionMode mode = _distribution is not null && backend is CudaBackend ? DetectionMode.Plain : options.Mode;
        EightBits? format = (backend as CudaBackend)?.Format;
        _refusal = format is null ? null : FindFault(model, format);
        QuantizedNetworks? quantized = format is null || _refusal is not null
            ? null
            : new QuantizedNetworks(_networks, model.LoadActivations(_networks)!, format);
        _plan = new DetectionPlan(
            _networks, Information.MapOrder, Information.InputHeight, Information.InputWidth, mode, options.Batch,
            Information.Fit, options.Tile, teacher, window: null, quantized);
        if (quantized is not null && !_plan.IsFusedOnDevice)
        {
            _refusal = $"{format} is of the fused plan, which does not serve what is asked for: a padded network, a " +
                "letterbox, tiles, a head or another mode.";
        }

        _batch = new (int, int, int)[_plan.Batch];
        if (_distribution is not null)
            _pooled = new PooledFeatures(backend, _networks.Student, Information.InputHeight, Information.InputWidth);
    }

    /// <summary>What the model's file says of it.</summary>
    public ModelInformation Information { get; }

    /// <summary>What computes, in words.</summary>
    public string Processor =>
        Fallback is null || _plan.IsFusedOnDevice ? _backend.Name : $"{_backend.Name}, layer by layer";

    /// <summary>Why a CUDA device does not compute as fast as it was asked to, in two sentences. It did not agree with
    /// the CPU on known networks, and computes in float32, layer by layer, instead; or the model refuses numbers of 8
    /// bits, and it computes in half precision. Null where nothing is amiss.</summary>
    public string? Fallback => (_plan.Fallback ?? _refusal) is { } reason
        ? $"{reason} It computes {(_plan.IsFusedOnDevice ? "in half precision" : "layer by layer in float32")} " +
            "instead, which takes longer."
        : null;

    internal ProductSet? Set { get; }

    /// <summary>What it shares with others of its <see cref="Set"/>.</summary>
    internal SharedTeacher? Teacher { get; }

    /// <summary>A score above it is anomalous; starts as the model's own and may be changed at any time. No
    /// unit.</summary>
    public float Threshold { get; set; }

    /// <summary>Loads a model from a file; the file may be deleted afterwards.</summary>
    /// <exception cref="ModelFormatException">The file is no model, or is damaged.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="NotSupportedException">The options name a CUDA device that cannot be used.</exception>
    public static AnomalyDetector Load(string path, DetectorOptions? options = null)
    {
        options ??= new DetectorOptions();
        using ModelFile model = ModelFile.Open(path);
        IBackend backend = options.Device.Open(new CpuOptions { Threads = options.Threads }, options.Cuda);
        try
        {
            return new AnomalyDetector(model, backend, ownsBackend: true, options);
        }
        catch
        {
            backend.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="Load(string, DetectorOptions?)"/>, on a backend that the caller made: a
    /// <see cref="CudaBackend"/> in a context and on a stream of the caller's own, for instance.</summary>
    /// <param name="backend">Stays the caller's and must outlive the detector. Whatever else uses it takes turns with
    /// the detector's calls.</param>
    /// <param name="options">What they say of the processor is not looked at.</param>
    public static AnomalyDetector Load(string path, IBackend backend, DetectorOptions? options = null)
    {
        using ModelFile model = ModelFile.Open(path);
        return new AnomalyDetector(model, backend, ownsBackend: false, options ?? new DetectorOptions());
    }

    /// <summary>Scores one image; higher means more anomalous.</summary>
    /// <param name="image">8-bit pixels of any format; resized to the model's input size.</param>
    /// <returns>Verdict, score and the combined map at the image's own size. Never throws for what an image shows: a
    /// frame that cannot be judged is <see cref="Verdict.Invalid"/> and says why.</returns>
    public DetectionResult Detect(ImageView image) => Detect(image, new AnomalyMap(image.Width, image.Height));

    /// <summary>Scores one image into a map that is used again and again, so that nothing large is allocated.</summary>
    /// <param name="image">8-bit pixels of any format.</param>
    /// <param name="map">Overwritten; of the image's size. Null if only the score is wanted.</param>
    /// <param name="clock">Takes the time of the parts, where one is given.</param>
    /// <exception cref="ArgumentException">The map has another size than the image.</exception>
    public DetectionResult Detect(ImageView image, AnomalyMap? map, DetectionClock? clock = null)
    {
        RequireSize(map, image.Width, image.Height);
        clock?.Clear();
        if (FindFault(image) is { } fault) return DetectionResult.Invalid(fault);

        float score;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _plan.Clock = clock;
            _plan.ComputeMaps(image);
            score = Score(0, image.Height, image.Width, map);
        }

        return Judge(score, map);
    }

    /// <summary>Scores one image three times: by both maps, and by each of them alone.</summary>
    /// <param name="clock">Takes the time of the detection by both.</param>
    public BranchResults DetectBranches(ImageView image, DetectionClock? clock = null)
    {
        lock (_lock)
        {
            DetectionResult both = Detect(image, new AnomalyMap(image.Width, image.Height), clock);
            if (both.Verdict == Verdict.Invalid) return new(both, both, both);
            _plan.Clock = null;
            MapScaling scaling = Information.Scaling;
            return new(both, Alone(both, scaling.LocalAlone()), Alone(both, scaling.GlobalAlone()));
        }
    }

    /// <summary>Scores several images, of any sizes; see <see cref="DetectorOptions.Batch"/>.</summary>
    /// <returns>One result for each, with its map. An image that cannot be judged is <see cref="Verdict.Invalid"/> and
    /// leaves the others alone.</returns>
    public DetectionResult[] Detect(IReadOnlyList<RgbImage> images)
    {
        var results = new DetectionResult[images.Count];
        Detect(
            images.Count, i => images[i].View, [.. images.Select(image => new AnomalyMap(image.Width, image.Height))],
            results);
        return results;
    }

    /// <summary>Scores several images wherever their pixels lie, into maps that are used again and again.</summary>
    /// <param name="image">Gives the i-th image. Called once for each, in order; an image is not read any more when the
    /// next is asked for. Must not call this detector.</param>
    /// <param name="maps">One for each, overwritten, of the image's size; empty if only scores are wanted.</param>
    /// <param name="results">One for each, overwritten.</param>
    /// <exception cref="ArgumentException">The numbers of maps or results do not fit, or a map has another size than
    /// its image: the results behind it are not written.</exception>
    public void Detect(
        int count, Func<int, ImageView> image, ReadOnlySpan<AnomalyMap> maps, Span<DetectionResult> results)
    {
        if (results.Length != count || (maps.Length != count && !maps.IsEmpty))
        {
            throw new ArgumentException(
                $"{count} images need as many results and maps, not {results.Length} and {maps.Length}.");
        }

        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            int taken = 0;
            for (int i = 0; i < count; i++)
            {
                ImageView view = image(i);
                if (!maps.IsEmpty) RequireSize(maps[i], view.Width, view.Height);
                string? fault = FindFault(view);
                if (taken > 0 && fault is null && !_plan.IsOfBatch(view))
                {
                    JudgeBatch(taken, maps, results);
                    taken = 0;
                }

                if (fault is not null)
                {
                    results[i] = DetectionResult.Invalid(fault);
                }
                else
                {
                    _plan.Preprocess(view, taken);
                    _batch[taken++] = (i, view.Width, view.Height);
                }

                if (taken < _batch.Length && (taken == 0 || i + 1 < count)) continue;
                JudgeBatch(taken, maps, results);
                taken = 0;
            }
        }
    }

    /// <summary>Scores one image that lies on the CUDA device already, where a camera's driver or a decoder wrote
    /// it.</summary>
    /// <param name="image">Read in the order of the backend's stream, before this returns. That it shows anything (is
    /// neither blank nor over- or underexposed) is not checked.</param>
    /// <param name="map">Overwritten; of the image's size, on the host. Null if only the score is wanted.</param>
    /// <exception cref="ArgumentException">The map has another size than the image, or the address is not on the
    /// device.</exception>
    /// <exception cref="InvalidOperationException">The detector does not compute on a CUDA device.</exception>
    public DetectionResult Detect(DeviceImage image, AnomalyMap? map)
    {
        RequireSize(map, image.Width, image.Height);
        if (_backend is not CudaBackend)
        {
            throw new InvalidOperationException(
                $"An image on a CUDA device needs a detector there; this one computes on {_backend.Name}. Load it " +
                "with a CUDA device.");
        }
        if (FindFault(image.Width, image.Height) is { } fault) return DetectionResult.Invalid(fault);

        float score;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _plan.Clock = null;
            _plan.ComputeMaps(image);
            score = Score(0, image.Height, image.Width, map);
        }

        return Judge(score, map);
    }

    /// <summary>Scores an image that others with the same <see cref="Teacher"/> score, too. Under the set's
    /// lock.</summary>
    /// <param name="fault">Why the image shows nothing, or null.</param>
    /// <param name="isComputed">Whether another of them was called already; true afterwards, unless the image has a
    /// size that this one does not take.</param>
    internal DetectionResult DetectWithOthers(ImageView image, string? fault, AnomalyMap? map, ref bool isComputed)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        RequireSize(map, image.Width, image.Height);
        if ((FindFault(image.Width, image.Height) ?? fault) is { } reason) return DetectionResult.Invalid(reason);
        _plan.Clock = null;
        if (isComputed) _plan.ComputeMapsAgain(image);
        else _plan.ComputeMaps(image);
        isComputed = true;
        return Judge(Score(0, image.Height, image.Width, map), map);
    }

    /// <summary>A clock for <see cref="Detect(ImageView, AnomalyMap?, DetectionClock?)"/>.</summary>
    public DetectionClock CreateClock() => _backend is CudaBackend cuda ? cuda.CreateClock() : new HostClock();

    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            _pooled?.Dispose();
            _plan.Dispose();
            _networks.Dispose();
            Set?.Release(Teacher!);
            if (_ownsBackend) _backend.Dispose();
        }
    }

    /// <summary>Why a model must not be computed in numbers of 8 bits, in a sentence; null where it may.</summary>
    private static string? FindFault(ModelFile model, EightBits format)
    {
        PrecisionParity? parity = format == EightBits.Int8 ? model.Information.Int8 : model.Information.Fp8;
        return parity is { } known
            ? known.FindFault(format.Name, model.Information.Calibration)
            : $"The model was not calibrated for {format}: run efficientad calibrate --eight-bits --model FILE " +
                "--data DIR --out FILE.";
    }

    private void JudgeBatch(int count, ReadOnlySpan<AnomalyMap> maps, Span<DetectionResult> results)
    {
        _plan.ComputeMaps(count);
        for (int sample = 0; sample < count; sample++)
        {
            (int image, int width, int height) = _batch[sample];
            AnomalyMap? map = maps.IsEmpty ? null : maps[image];
            results[image] = Judge(Score(sample, height, width, map), map);
        }
    }

    /// <summary>The score of an image whose maps were computed: its map's maximum, and what the head adds.</summary>
    private float Score(int sample, int height, int width, AnomalyMap? map)
    {
        float score = _plan.Combine(sample, Information.Scaling, height, width, map is null ? [] : map.Values);
        if (_pooled is null) return score;
        _backend.Copy(_plan.Input.Image.Samples(sample, 1), _pooled.Image);
        return Information.Pooled!.Value.Combine(score, _distribution!.Distance(_pooled.Compute()));
    }

    /// <summary>The last detection's maps, combined otherwise.</summary>
    private DetectionResult Alone(DetectionResult both, MapScaling scaling)
    {
        var map = new AnomalyMap(both.Map!.Width, both.Map.Height);
        return both with { Score = _plan.Combine(scaling, map.Height, map.Width, map.Values), Map = map };
    }

    private DetectionResult Judge(float score, AnomalyMap? map)
    {
        if (!float.IsFinite(score))
        {
            return DetectionResult.Invalid(
                "The anomaly map is not finite; the model's weights are damaged or do not fit this picture.");
        }

        Verdict verdict = score > Threshold ? Verdict.Anomalous : Verdict.Good;
        return new DetectionResult(verdict, score, Information.Calibration.Calibrate(score), map, null);
    }

    private static void RequireSize(AnomalyMap? map, int width, int height)
    {
        if (map is not null && (map.Width != width || map.Height != height))
        {
            throw new ArgumentException(
                $"The map is {map.Width} x {map.Height} but the image {width} x {height}.", nameof(map));
        }
    }

    private string? FindFault(ImageView image) => FindFault(image.Width, image.Height) ?? FrameCheck.FindFault(image);

    private string? FindFault(int width, int height)
    {
        if (width < SmallestSide || height < SmallestSide)
            return $"The picture is {width} x {height}; at least {SmallestSide} x {SmallestSide} pixels are needed.";
        bool anySize = _options.AcceptAnySize || Information.ImageHeight == 0;
        if (anySize || (width == Information.ImageWidth && height == Information.ImageHeight)) return null;
        return $"The picture is {width} x {height} but the model was trained on {Information.ImageWidth} x " +
            $"{Information.ImageHeight}. Accept any size if that is meant.";
    }
}
