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
    private readonly FeatureWindow? _window;
    private readonly NetworkInput _input;
    private readonly (int Height, int Width) _inputSize;
    private readonly TiledMaps? _tiles;
    private readonly Tape _tape;
    private readonly Recording? _networks;
    private readonly Tensor? _image, _autoencoderImage;  // null where the plan of a device or of tiles preprocesses images itself
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
    /// <param name="fit">How images become the networks' input. A letterbox needs <see cref="MapOrder.Aligned"/>, the order that
    /// knows where the image lies; a CUDA device then computes layer by layer.</param>
    /// <param name="tile">Where the input is larger than so many pixels a side, it is computed in tiles of at most that, one
    /// image at a time; the result is the same up to rounding. 0 takes it whole. Unpadded networks.</param>
    public DetectionPlan(
        IBackend backend, PatchDescriptionNetwork teacher, PatchDescriptionNetwork student, Autoencoder autoencoder,
        Tensor mean, Tensor deviation, MapOrder order, int height, int width, DetectionMode mode = DetectionMode.Plain,
        int batch = 1, ImageFit fit = ImageFit.Squash, int tile = 0)
        : this(
            backend, teacher, student, autoencoder, mean, deviation, order, height, width, mode, batch, fit, tile, shared: null,
            window: null)
    {
    }

    /// <param name="shared">Holds the teacher and the input, where other plans use them too; then the batch is 1.</param>
    /// <param name="window">Where the input is a tile of another plan's: which part of its map.</param>
    internal DetectionPlan(
        IBackend backend, PatchDescriptionNetwork teacher, PatchDescriptionNetwork student, Autoencoder autoencoder,
        Tensor mean, Tensor deviation, MapOrder order, int height, int width, DetectionMode mode, int batch,
        ImageFit fit, int tile, SharedTeacher? shared, FeatureWindow? window)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        if (fit == ImageFit.Letterbox && order != MapOrder.Aligned)
            throw new ArgumentException($"A letterbox needs the map order Aligned, not {order}: the others do not know where the image lies.", nameof(order));
        bool isTiled = tile > 0 && (tile < height || tile < width);
        if (isTiled && (teacher.Padded || tile < PatchDescriptionNetwork.ReceptiveField))
        {
            throw new ArgumentException(
                $"Tiles need at least {PatchDescriptionNetwork.ReceptiveField} pixels a side, not {tile}, and networks without padding.",
                nameof(tile));
        }

        if (isTiled) shared = null;
        (_backend, _order, _padded, _shared, _window) = (backend, order, teacher.Padded, shared, window);
        (_inputSize, _input) = ((height, width), new NetworkInput(backend, fit, height, width));
        CpuBackend? fusing = backend is CpuBackend cpu && !_padded && mode != DetectionMode.Plain ? cpu : null;
        _tape = new Tape(backend);
        bool isOrdinary = !isTiled && window is null && fit == ImageFit.Squash;
        if (backend is CudaBackend cuda && !_padded && mode == DetectionMode.Fast && isOrdinary && FusedDetection.RunsOn(cuda))
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
        else if (isTiled)
        {
            Batch = 1;
            _tiles = new TiledMaps(backend, _input, height, width, tile, (tileHeight, tileWidth, place) => new DetectionPlan(
                backend, teacher, student, autoencoder, mean, deviation, MapOrder.Reference, tileHeight, tileWidth, mode, batch: 1,
                ImageFit.Squash, tile: 0, shared: null, place));
            (local, global) = (Variable.Constant(_tiles.LocalMap), Variable.Constant(_tiles.GlobalMap));
        }
        else
        {
            Batch = fusing is null || shared is not null ? 1 : batch;
            _isGrey = shared?.IsGrey ?? new bool[Batch];
            _image = shared?.Image ?? _tape.Allocate(new Shape(Batch, 3, height, width));
            _autoencoderImage = window is null && height == Autoencoder.InputSize && width == Autoencoder.InputSize
                ? _image
                : shared?.AutoencoderImage ?? _tape.Allocate(Autoencoder.Input with { N = Batch });
            (local, global) = fusing is not null
                ? FusedMapsOf(fusing, teacher, student, autoencoder, mean, deviation, mode, _image, _autoencoderImage)
                : PlainMapsOf(teacher, student, autoencoder, mean, deviation, _image, _autoencoderImage);
        }

        _localMap = AtQuantileSize(local, height, width);
        _globalMap = AtQuantileSize(global, height, width);
        // What a recording holds cannot change: a tile's window does.
        _networks = window is null ? backend.Record(_tape.Forward) : null;
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

    /// <summary>Extent of the networks' input that an image of this extent covers.</summary>
    internal FittedArea AreaOf(int height, int width) => FittedArea.Of(_input.Fit, (height, width), _inputSize);

    /// <summary>Whether an area is the whole input.</summary>
    internal bool Covers(FittedArea area) => (area.Height, area.Width) == _inputSize;

    /// <summary>Whether the patch of a value of the raw maps is centred on an area.</summary>
    internal bool IsInside(FittedArea area, int y, int x)
    {
        float row = MapPlacement.CentreOf(y, _padded) - area.Top, column = MapPlacement.CentreOf(x, _padded) - area.Left;
        return row >= 0 && row < area.Height && column >= 0 && column < area.Width;
    }

    /// <summary>The patch description networks' input, [n, 3, h, w].</summary>
    internal Tensor Image => _image ?? throw new InvalidOperationException("This plan preprocesses images itself.");

    /// <summary>The autoencoder's; may be the same.</summary>
    internal Tensor AutoencoderImage => _autoencoderImage ?? throw new InvalidOperationException("This plan preprocesses images itself.");

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

        if (_tiles is not null)
        {
            _tiles.Preprocess(image);
            return;
        }

        _isGrey[sample] = image.Format == PixelFormat.Grey8 && _input.Fit == ImageFit.Squash;  // a letterbox's frame is not
        (Tensor input, Tensor? autoencoderInput, _, _) = _samples[sample];
        _input.Write(image, ColourAdjustment.None, input);
        if (autoencoderInput is not null) _input.Write(image, ColourAdjustment.None, autoencoderInput);
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
            _tiles?.Compute();
            _shared?.Compute();
            RunNetworks();
        }

        Clock?.Mark(DetectionMark.Computed);
    }

    /// <summary>Computes both maps of the image whose maps another plan with the same <see cref="SharedTeacher"/> computed
    /// last.</summary>
    internal void ComputeMapsAgain(ImageView image)
    {
        if (_device is not null || _tiles is not null) ComputeMaps(image);  // it shares weights alone
        else RunNetworks();
    }

    /// <summary>Computes both maps of an image that lies on the plan's CUDA device.</summary>
    /// <exception cref="ArgumentException">The address is not on the device, or the numbers fit no image.</exception>
    public void ComputeMaps(DeviceImage image)
    {
        if (_tiles is not null || _input.Fit != ImageFit.Squash)
            throw new NotSupportedException("Tiles and letterboxes take images in host memory. Download the image, or use neither.");
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
        if (_image is null || _input.Fit != ImageFit.Squash)
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

        Tensor local = _tiles is null ? _samples[sample].LocalMap : _localMap;
        Tensor global = _tiles is null ? _samples[sample].GlobalMap : _globalMap;
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
        _tiles?.Dispose();
        _device?.Dispose();
        _networks?.Dispose();
        _tape.Dispose();
    }

    private Tensor Combined => field ??= _tape.Allocate(_localMap.Shape with { N = 1 });

    private Tensor Bordered => field ??= _tape.Allocate(
        Combined.Shape with { H = Combined.Shape.H + 2 * Border, W = Combined.Shape.W + 2 * Border });

    private Tensor Score => field ??= _tape.Allocate(new Shape(1, 1, 1, 1));

    /// <summary>The device's plan leaves raw maps; the verdict needs no others, quantiles may.</summary>
    private Tensor AtQuantileSize(Tensor map)
    {
        if (_areMapsStale) RunNetworks();
        _areMapsStale = false;
        return map;
    }

    private void RunNetworks()
    {
        if (_networks is null) _tape.Forward();
        else _networks.Replay();
    }

    private void PreprocessOnDevice(Tensor output) => ((CudaBackend)_backend).PreprocessDevice(
        _deviceImage.Address, _deviceImage.Width, _deviceImage.Height, _deviceImage.Stride, _deviceImage.Format,
        ColourAdjustment.None, output.Shape.H, output.Shape.W, output);

    private (Variable Local, Variable Global) PlainMapsOf(
        PatchDescriptionNetwork teacher, PatchDescriptionNetwork student, Autoencoder autoencoder, Tensor mean, Tensor deviation,
        Tensor input, Tensor autoencoderInput)
    {
        int height = PatchDescriptionNetwork.OutputSize(input.Shape.H, _padded);
        int width = PatchDescriptionNetwork.OutputSize(input.Shape.W, _padded);
        Variable predicted = _window is null
            ? autoencoder.Predict(_tape, Variable.Constant(autoencoderInput), _padded, height, width)
            : PredictWindow(autoencoder, autoencoderInput, _window, height, width);
        Variable image = Variable.Constant(input), hidden = student.Hidden(_tape, image);
        Variable features = _tape.NormalizeChannels(_shared?.Features ?? teacher.Forward(_tape, image), mean, deviation);
        return (
            _tape.SquaredDifferenceMap(features, student.TeacherHalf(_tape, hidden)),
            _tape.SquaredDifferenceMap(predicted, student.AutoencoderHalf(_tape, hidden)));
    }

    private Variable PredictWindow(
        Autoencoder autoencoder, Tensor autoencoderInput, FeatureWindow window, int height, int width)
    {
        int size = Autoencoder.OutputSize(_padded);
        Tensor whole = autoencoder.Forward(_tape, Variable.Constant(autoencoderInput), size).Value;
        Tensor part = _tape.Allocate(whole.Shape with { H = height, W = width });
        return _tape.Record(
            part, needsGradient: false,
            () => _backend.ResampleBilinear(
                whole, window.Rows(size).Scale, window.Rows(size).Offset, window.Columns(size).Scale, window.Columns(size).Offset, part),
            _ => { });
    }

    private (Variable Local, Variable Global) FusedMapsOf(
        CpuBackend cpu, PatchDescriptionNetwork teacher, PatchDescriptionNetwork student, Autoencoder autoencoder,
        Tensor mean, Tensor deviation, DetectionMode mode, Tensor input, Tensor autoencoderInput)
    {
        _fused = FusedMaps.Create(
            cpu, teacher, student, autoencoder, mean, deviation, input, autoencoderInput, _isGrey,
            largeTiles: mode == DetectionMode.Fast, _shared?.Hidden, _window);
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
                MapPlacement place = MapPlacement.Aligned(_padded, AreaOf(height, width), (height, width));
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
