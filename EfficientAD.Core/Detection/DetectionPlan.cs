using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cpu.Fused;
using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Detection;

/// <summary>The way from an image to its maps and its score (paper, section 3.4), built once per model and backend: image,
/// preprocessing, networks, maps, score. All buffers are allocated here or at the first image of a new size.</summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class DetectionPlan : IDisposable
{
    private const int Border = MapPlacement.PublishedBorder;

    private readonly IBackend _backend;
    private readonly MapOrder _order;
    private readonly bool _padded;
    private readonly SharedTeacher? _shared;
    private readonly Tape _tape;
    private readonly Recording _networks;
    private readonly (int Height, int Width) _input;
    private readonly Tensor? _image, _autoencoderImage;  // null where the device's plan preprocesses images itself
    private readonly Tensor _localMap, _globalMap;
    private readonly Sample[] _samples;
    private readonly bool[] _isGrey = [];
    private readonly FusedDetection? _device;
    private FusedMaps? _fused;
    private int _taken = 1;
    private bool _areMapsStale;
    private Tensor? _map;
    private Action<Tensor>? _preprocessOnDevice;
    private DeviceImage _deviceImage;

    /// <param name="student">Frozen, as all three networks.</param>
    /// <param name="mean">Teacher statistics, [1, 384, 1, 1].</param>
    /// <param name="deviation">Teacher statistics, [1, 384, 1, 1].</param>
    /// <param name="height">Of the networks' input in pixels.</param>
    /// <param name="width">Of the networks' input in pixels.</param>
    /// <param name="mode">Padded networks have the plain way only; a CUDA device that and, from compute capability 8.0 on,
    /// <see cref="DetectionMode.Fast"/>.</param>
    /// <param name="batch">Images that pass through the networks together, where the way is not the plain one: weights are
    /// read once for all. Every one takes about 50 MB at 256 x 256 on the CPU, 20 MB (S) or 50 MB (M) on a CUDA device, which
    /// takes 64 at most.</param>
    public DetectionPlan(
        IBackend backend, PatchDescriptionNetwork teacher, PatchDescriptionNetwork student, Autoencoder autoencoder,
        Tensor mean, Tensor deviation, MapOrder order, int height, int width, DetectionMode mode = DetectionMode.Plain,
        int batch = 1)
        : this(backend, teacher, student, autoencoder, mean, deviation, order, height, width, mode, batch, shared: null)
    {
    }

    /// <param name="shared">Holds the teacher and the input, where other plans use them too; then the batch is 1.</param>
    internal DetectionPlan(
        IBackend backend, PatchDescriptionNetwork teacher, PatchDescriptionNetwork student, Autoencoder autoencoder,
        Tensor mean, Tensor deviation, MapOrder order, int height, int width, DetectionMode mode, int batch,
        SharedTeacher? shared)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        (_backend, _order, _padded, _shared, _input) = (backend, order, teacher.Padded, shared, (height, width));
        CpuBackend? fusing = backend is CpuBackend cpu && !_padded && mode != DetectionMode.Plain ? cpu : null;
        _tape = new Tape(backend);
        if (backend is CudaBackend cuda && !_padded && mode == DetectionMode.Fast && FusedDetection.RunsOn(cuda))
        {
            Batch = shared is not null ? 1 : Math.Min(batch, FusedDetection.MaximumSamples);
            Fallback = cuda.FindFusedFault(new FusedProblem(teacher.Size, order, height, width, Batch));
            if (Fallback is null)
                _device = new FusedDetection(cuda, teacher, student, autoencoder, mean, deviation, order, height, width, Batch);
        }

        Variable local, global;
        if (_device is not null)
        {
            (local, global) = (Variable.Constant(_device.LocalMap), Variable.Constant(_device.GlobalMap));
        }
        else
        {
            Batch = fusing is null || shared is not null ? 1 : batch;
            _isGrey = shared?.IsGrey ?? new bool[Batch];
            _image = shared?.Image ?? _tape.Allocate(new Shape(Batch, 3, height, width));
            _autoencoderImage = height == Autoencoder.InputSize && width == Autoencoder.InputSize
                ? _image
                : shared?.AutoencoderImage ?? _tape.Allocate(Autoencoder.Input with { N = Batch });
            (local, global) = fusing is not null
                ? FusedMapsOf(fusing, teacher, student, autoencoder, mean, deviation, mode, _image, _autoencoderImage)
                : PlainMapsOf(teacher, student, autoencoder, mean, deviation, _image, _autoencoderImage);
        }

        _localMap = AtQuantileSize(local, height, width);
        _globalMap = AtQuantileSize(global, height, width);
        _networks = backend.Record(_tape.Forward);
        _samples = _image is null
            ? []
            :
            [
                .. Enumerable.Range(0, Batch).Select(i => new Sample(
                    _image.Samples(i, 1), _autoencoderImage == _image ? null : _autoencoderImage!.Samples(i, 1),
                    _localMap.Samples(i, 1), _globalMap.Samples(i, 1))),
            ];
    }

    /// <summary>Images that <see cref="ComputeMaps(int)"/> takes at most.</summary>
    public int Batch { get; }

    /// <summary>Why a CUDA device does not compute by the fused plan that was asked for, in a sentence; null where nothing is
    /// amiss.</summary>
    public string? Fallback { get; }

    /// <summary>Teacher against student, at the size at which this order takes quantiles: [n, 1, h, w].</summary>
    public Tensor LocalMap => AtQuantileSize(_localMap);

    /// <summary>Autoencoder against student, likewise.</summary>
    public Tensor GlobalMap => AtQuantileSize(_globalMap);

    /// <summary>Is marked at each part, where there is one.</summary>
    internal DetectionClock? Clock { get; set; }

    /// <summary>How the CPU computes the maps; null where it does so layer by layer.</summary>
    internal FusedMaps? Fused => _fused;

    /// <summary>Computes both maps of an image.</summary>
    public void ComputeMaps(ImageView image)
    {
        Clock?.Mark(DetectionMark.Start);
        Preprocess(image, 0);
        Clock?.Mark(DetectionMark.Preprocessed);
        ComputeMaps(1);
    }

    /// <summary>Makes an image the networks' input.</summary>
    /// <param name="sample">Its place in the batch.</param>
    public void Preprocess(ImageView image, int sample)
    {
        if (_device is not null)
        {
            _device.Stage(sample, image);
            return;
        }

        _isGrey[sample] = image.Format == PixelFormat.Grey8;
        (Tensor input, Tensor? autoencoderInput, _, _) = _samples[sample];
        _backend.Preprocess(image, ColourAdjustment.None, input.Shape.H, input.Shape.W, input);
        if (autoencoderInput is not null)
            _backend.Preprocess(image, ColourAdjustment.None, Autoencoder.InputSize, Autoencoder.InputSize, autoencoderInput);
    }

    /// <summary>Whether an image may be preprocessed into the batch of the one before it: on a CUDA device they are of one
    /// size and format.</summary>
    public bool IsOfBatch(ImageView image) => _device is null || _device.IsLikeStaged(image);

    /// <summary>Computes both maps of the preprocessed images at the first places of the batch.</summary>
    public void ComputeMaps(int samples)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(samples, Batch);
        _taken = samples;
        if (_device is not null)
        {
            _device.Run(samples);
            _areMapsStale = _localMap != _device.LocalMap;
        }
        else
        {
            _shared?.Compute();
            _networks.Replay();
        }

        Clock?.Mark(DetectionMark.Computed);
    }

    /// <summary>Computes both maps of the image whose maps another plan with the same <see cref="SharedTeacher"/> computed
    /// last.</summary>
    internal void ComputeMapsAgain(ImageView image)
    {
        if (_device is not null) ComputeMaps(image);  // it shares weights alone
        else _networks.Replay();
    }

    /// <summary>Computes both maps of an image that lies on the plan's CUDA device.</summary>
    /// <exception cref="ArgumentException">The address is not on the device, or the numbers fit no image.</exception>
    public void ComputeMaps(DeviceImage image)
    {
        if (_device is null)
        {
            _deviceImage = image;
            ComputeMaps(_preprocessOnDevice ??= PreprocessOnDevice);
            return;
        }

        Clock?.Mark(DetectionMark.Start);
        _device.Stage(image);
        Clock?.Mark(DetectionMark.Preprocessed);
        ComputeMaps(1);
    }

    /// <summary>Computes both maps of what somebody else makes the networks' input. Not for <see
    /// cref="DetectionMode.Fast"/> on a CUDA device, whose plan preprocesses images itself.</summary>
    /// <param name="preprocess">Writes the networks' input, of the size that the tensor has; called once or twice.</param>
    /// <exception cref="InvalidOperationException">The plan preprocesses images itself.</exception>
    public void ComputeMaps(Action<Tensor> preprocess)
    {
        if (_image is null)
            throw new InvalidOperationException("This plan preprocesses images itself: give it an image, or use another mode.");
        Clock?.Mark(DetectionMark.Start);
        _isGrey[0] = false;
        preprocess(_image);
        if (_autoencoderImage != _image) preprocess(_autoencoderImage!);
        Clock?.Mark(DetectionMark.Preprocessed);
        ComputeMaps(1);
    }

    /// <summary>Scales and combines the two maps that <see cref="ComputeMaps(ImageView)"/> left, and resizes the result.</summary>
    /// <param name="height">Of the map in pixels: the image's own.</param>
    /// <param name="width">Of the map in pixels.</param>
    /// <param name="map">Receives height * width values; empty if only the score is wanted.</param>
    /// <returns>The score: the combined map's maximum. Not finite where a network's output is not.</returns>
    public float Combine(MapScaling scaling, int height, int width, Span<float> map) => Combine(0, scaling, height, width, map);

    /// <summary>The same for an image of a batch.</summary>
    /// <param name="sample">Its place.</param>
    public float Combine(int sample, MapScaling scaling, int height, int width, Span<float> map)
    {
        if (_device is not null)
        {
            float ofDevice = _device.Finish(sample, scaling, height, width, map);
            Clock?.Mark(DetectionMark.Downloaded);
            return ofDevice;
        }

        (_, _, Tensor local, Tensor global) = _samples[sample];
        _backend.CombineMaps(local, global, scaling.LocalScale, scaling.GlobalScale, scaling.Offset, Combined);
        bool scoreFromCombined = _order.IsScoredAtInput();
        if (!map.IsEmpty || !scoreFromCombined) ResizeToImage(height, width);
        _backend.Maximum(scoreFromCombined ? Combined : _map!, Score);
        if (!map.IsEmpty) _backend.Download(_map!, map);  // behind all launches: it waits for them
        Span<float> score = stackalloc float[1];
        _backend.Download(Score, score);
        Clock?.Mark(DetectionMark.Downloaded);
        return score[0];
    }

    /// <summary>One image's part of the batch.</summary>
    /// <param name="AutoencoderImage">Null where it is the image.</param>
    private sealed record Sample(Tensor Image, Tensor? AutoencoderImage, Tensor LocalMap, Tensor GlobalMap);

    public void Dispose()
    {
        _map?.Dispose();
        _fused?.Dispose();
        _device?.Dispose();
        _networks.Dispose();
        _tape.Dispose();
    }

    private Tensor Combined => field ??= _tape.Allocate(_localMap.Shape with { N = 1 });

    private Tensor Bordered => field ??= _tape.Allocate(
        Combined.Shape with { H = Combined.Shape.H + 2 * Border, W = Combined.Shape.W + 2 * Border });

    private Tensor Score => field ??= _tape.Allocate(new Shape(1, 1, 1, 1));

    /// <summary>The device's plan leaves raw maps; the verdict needs no others, quantiles may.</summary>
    private Tensor AtQuantileSize(Tensor map)
    {
        if (_areMapsStale) _networks.Replay();
        _areMapsStale = false;
        return map;
    }

    private void PreprocessOnDevice(Tensor output) => ((CudaBackend)_backend).PreprocessDevice(
        _deviceImage.Address, _deviceImage.Width, _deviceImage.Height, _deviceImage.Stride, _deviceImage.Format,
        ColourAdjustment.None, output.Shape.H, output.Shape.W, output);

    private (Variable Local, Variable Global) PlainMapsOf(
        PatchDescriptionNetwork teacher, PatchDescriptionNetwork student, Autoencoder autoencoder, Tensor mean, Tensor deviation,
        Tensor input, Tensor autoencoderInput)
    {
        Variable predicted = autoencoder.Predict(
            _tape, Variable.Constant(autoencoderInput), _padded, PatchDescriptionNetwork.OutputSize(input.Shape.H, _padded),
            PatchDescriptionNetwork.OutputSize(input.Shape.W, _padded));
        Variable image = Variable.Constant(input), hidden = student.Hidden(_tape, image);
        Variable features = _tape.NormalizeChannels(_shared?.Features ?? teacher.Forward(_tape, image), mean, deviation);
        return (
            _tape.SquaredDifferenceMap(features, student.TeacherHalf(_tape, hidden)),
            _tape.SquaredDifferenceMap(predicted, student.AutoencoderHalf(_tape, hidden)));
    }

    private (Variable Local, Variable Global) FusedMapsOf(
        CpuBackend cpu, PatchDescriptionNetwork teacher, PatchDescriptionNetwork student, Autoencoder autoencoder,
        Tensor mean, Tensor deviation, DetectionMode mode, Tensor input, Tensor autoencoderInput)
    {
        _fused = FusedMaps.Create(
            cpu, teacher, student, autoencoder, mean, deviation, input, autoencoderInput, _isGrey,
            largeTiles: mode == DetectionMode.Fast, _shared?.Hidden);
        _tape.Defer(() => _fused.Compute(_taken));
        return (Variable.Constant(_fused.LocalMap), Variable.Constant(_fused.GlobalMap));
    }

    /// <summary>The order decides at which size the quantiles are taken: raw, or resized to the input.</summary>
    private Tensor AtQuantileSize(Variable map, int height, int width) => _order switch
    {
        MapOrder.Paper => _tape.ResizeBilinear(map, height, width).Value,
        MapOrder.Anomalib => _tape.ResizeBilinear(_padded ? map : _tape.Pad(map, Border), height, width).Value,
        _ => map.Value,
    };

    private void ResizeToImage(int height, int width)
    {
        if (_map is null || _map.Shape.H != height || _map.Shape.W != width)
        {
            _map?.Dispose();
            _map = _backend.Allocate(new Shape(1, 1, height, width));
        }

        switch (_order)
        {
            case MapOrder.Aligned:
                MapPlacement place = MapPlacement.Aligned(_padded, _input, (height, width));
                _backend.ResampleBilinear(Combined, place.ScaleY, place.OffsetY, place.ScaleX, place.OffsetX, _map);
                break;
            case MapOrder.Reference when !_padded:
                _backend.Pad(Combined, Border, 0, Bordered);
                _backend.ResizeBilinear(Bordered, _map);
                break;
            default:
                _backend.ResizeBilinear(Combined, _map);
                break;
        }
    }
}
