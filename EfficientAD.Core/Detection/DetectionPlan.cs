using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cpu.Fused;
using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tensors;

namespace EfficientAD.Detection;

/// <summary>The way from an image to its maps and its score (paper, section 3.4), built once per model: input,
/// networks, maps, score. All buffers are allocated here or at the first image of a new size.</summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class DetectionPlan : IDisposable
{
    private readonly IBackend _backend;
    private readonly MapOrder _order;
    private readonly bool _padded;
    private readonly SharedTeacher? _shared;
    private readonly NetworkInput _fitted;
    private readonly (int Height, int Width) _inputSize;
    private readonly Tape _tape;
    private readonly Recording? _networks;
    private readonly Tensor _localMap, _globalMap;
    private readonly (Tensor Local, Tensor Global)[] _samples;
    private readonly CombinedMap _combined;

    // One of three computes the raw maps: the device's own plan, tiles, or the networks from this input on.
    private readonly FusedDetection? _device;
    private readonly TiledMaps? _tiles;
    private readonly DetectionInput? _input;
    private int _taken = 1;
    private bool _areMapsStale;

    /// <param name="networks">Frozen; their backend computes.</param>
    /// <param name="height">Of the networks' input in pixels.</param>
    /// <param name="width">Of the networks' input in pixels.</param>
    /// <param name="mode">Padded networks have the plain way only; a CUDA device that and, from compute capability 8.0
    /// on, <see cref="DetectionMode.Fast"/>.</param>
    /// <param name="batch">Images that pass through the networks together, where the way is not the plain one: weights
    /// are read once for all. Every one takes about 50 MB at 256 x 256 on the CPU, 20 MB (S) or 50 MB (M) on a CUDA
    /// device, which takes 64 at most.</param>
    /// <param name="fit">How images become the networks' input. A letterbox needs <see cref="MapOrder.Aligned"/>, the
    /// order that knows where the image lies; a CUDA device then computes layer by layer.</param>
    /// <param name="tile">Where the input is larger than so many pixels a side, it is computed in tiles of at most
    /// that, one image at a time; the result is the same up to rounding. 0 takes it whole. Unpadded networks.</param>
    public DetectionPlan(
        DetectionNetworks networks, MapOrder order, int height, int width, DetectionMode mode = DetectionMode.Plain,
        int batch = 1, ImageFit fit = ImageFit.Squash, int tile = 0)
        : this(networks, order, height, width, mode, batch, fit, tile, shared: null, window: null, quantized: null)
    {
    }

    /// <param name="shared">Holds the teacher and the input, where other plans use them too; then the batch is
    /// 1.</param>
    /// <param name="window">Where the input is a tile of another plan's: which part of its map.</param>
    /// <param name="quantized">The same networks in numbers of 8 bits, where these are wanted: of a CUDA device's fused
    /// plan, or of the CPU, which then computes what a device would, layer by layer.</param>
    internal DetectionPlan(
        DetectionNetworks networks, MapOrder order, int height, int width, DetectionMode mode, int batch, ImageFit fit,
        int tile, SharedTeacher? shared, FeatureWindow? window, QuantizedNetworks? quantized)
    {
        bool isTiled = RequireTiles(networks, batch, fit, order, height, width, tile);
        if (isTiled) shared = null;
        (_backend, _order, _padded, _shared) = (networks.Backend, order, networks.Teacher.Padded, shared);
        (_inputSize, _fitted, _tape) =
            ((height, width), new NetworkInput(_backend, fit, height, width), new Tape(_backend));
        bool isOrdinary = !_padded && !isTiled && window is null && fit == ImageFit.Squash;
        if (_backend is CudaBackend cuda && mode == DetectionMode.Fast && isOrdinary && FusedDetection.RunsOn(cuda))
        {
            Batch = shared is not null ? 1 : Math.Min(batch, FusedDetection.MaximumSamples);
            var problem = new FusedProblem(networks.Teacher.Size, order, height, width, Batch);
            string? ofBytes = quantized is null
                ? null
                : cuda.FindFusedFault(problem with { Format = quantized.Format });
            if (ofBytes is not null) quantized = null;
            string? ofHalves = quantized is null ? cuda.FindFusedFault(problem) : null;
            Fallback = ofHalves ?? ofBytes;
            if (ofHalves is null)
            {
                _device = new FusedDetection(cuda, networks, order, height, width, Batch, quantized: quantized);
            }
        }

        Variable local, global;
        if (_device is not null)
        {
            (local, global) = (Variable.Constant(_device.LocalMap), Variable.Constant(_device.GlobalMap));
        }
        else if (isTiled)
        {
            Batch = 1;
            _tiles = new TiledMaps(_backend, _fitted, height, width, tile, (tileHeight, tileWidth, place) =>
                new DetectionPlan(
                    networks, MapOrder.Reference, tileHeight, tileWidth, mode, batch: 1, ImageFit.Squash, tile: 0,
                    shared: null, place, quantized: null));
            (local, global) = (Variable.Constant(_tiles.LocalMap), Variable.Constant(_tiles.GlobalMap));
        }
        else
        {
            CpuBackend? fusing = _backend is CpuBackend cpu && !_padded && mode != DetectionMode.Plain ? cpu : null;
            Batch = fusing is null || shared is not null ? 1 : batch;
            _input = new DetectionInput(
                _tape, _fitted, new Shape(Batch, 3, height, width), shared, isTile: window is not null);
            (local, global) = quantized is not null && _backend is CpuBackend
                ? QuantizedMapsOf(networks, quantized)
                : fusing is not null
                    ? FusedMapsOf(fusing, networks, mode, window)
                    : PlainMaps.Record(_tape, networks, _input, _shared?.Features, window);
        }

        // A device's plan has weighed its map, and a tile's map is a part of one that will be.
        if (networks.PlaceWeights is { } places && _device is null && window is null) local = Weigh(local, places);
        _localMap = AtQuantileSize(local, height, width);
        _globalMap = AtQuantileSize(global, height, width);
        // What a recording holds cannot change: a tile's window does.
        _networks = window is null ? _backend.Record(_tape.Forward) : null;
        _samples = [.. Enumerable.Range(0, Batch).Select(i => (_localMap.Samples(i, 1), _globalMap.Samples(i, 1)))];
        _combined = new CombinedMap(_backend, order, _padded, _samples[0].Local.Shape);
    }

    /// <summary>Images that <see cref="ComputeMaps(int)"/> takes at most.</summary>
    public int Batch { get; }

    /// <summary>Why a CUDA device does not compute as it was asked to, in a sentence: not by the fused plan, or not in
    /// numbers of 8 bits. Null where nothing is amiss.</summary>
    public string? Fallback { get; }

    /// <summary>The local map at its own size, its places weighed; null where they are not, or a device's plan computes
    /// it.</summary>
    internal Tensor? WeighedMap { get; private set; }

    /// <summary>Whether a CUDA device computes by its fused plan.</summary>
    internal bool IsFusedOnDevice => _device is not null;

    /// <summary>Teacher against student, its places weighed where the networks say how, at the size at which this order
    /// takes quantiles: [n, 1, h, w].</summary>
    public Tensor LocalMap => Fresh(_localMap);

    /// <summary>Autoencoder against student, likewise.</summary>
    public Tensor GlobalMap => Fresh(_globalMap);

    /// <summary>Extent of the networks' input that an image of this extent covers.</summary>
    internal FittedArea AreaOf(int height, int width) => _fitted.AreaOf(height, width);

    /// <summary>Whether an area is the whole input.</summary>
    internal bool Covers(FittedArea area) => area.Fills(_inputSize.Height, _inputSize.Width);

    /// <summary>The places of the raw maps whose patches are centred on an area.</summary>
    internal IEnumerable<int> PlacesInside(FittedArea area) =>
        MapPlacement.PlacesInside(area, _padded, LocalMap.Shape.H, LocalMap.Shape.W);

    /// <summary>What the networks read.</summary>
    internal DetectionInput Input => _input
        ?? throw new InvalidOperationException(
            "This plan preprocesses images itself: give it an image, or use another mode.");

    /// <summary>Is marked at each part, where there is one.</summary>
    internal DetectionClock? Clock { get; set; }

    /// <summary>How the CPU computes the maps; null where it does so layer by layer.</summary>
    internal FusedMaps? Fused { get; private set; }

    /// <summary>How the CPU computes the maps in numbers of 8 bits; null where it does not.</summary>
    internal QuantizedMaps? Quantized { get; private set; }

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
        if (_device is not null) _device.Stage(sample, image);
        else if (_tiles is not null) _tiles.Preprocess(image);
        else Input.Write(image, sample);
    }

    /// <summary>Whether an image may be preprocessed into the batch of the one before it: on a CUDA device they are of
    /// one size and format.</summary>
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

    /// <summary>Computes both maps of the image whose maps another plan with the same <see cref="SharedTeacher"/>
    /// computed last.</summary>
    internal void ComputeMapsAgain(ImageView image)
    {
        if (_input is null) ComputeMaps(image);  // it shares weights alone
        else RunNetworks();
    }

    /// <summary>Computes both maps of an image that lies on the plan's CUDA device.</summary>
    /// <exception cref="ArgumentException">The address is not on the device, or the numbers fit no image.</exception>
    public void ComputeMaps(DeviceImage image)
    {
        if (_tiles is not null || _fitted.Fit != ImageFit.Squash)
        {
            throw new NotSupportedException(
                "Tiles and letterboxes take images in host memory. Download the image, or use neither.");
        }

        Clock?.Mark(DetectionMark.Start);
        if (_device is not null) _device.Stage(image);
        else Input.Write(image, (CudaBackend)_backend);
        Clock?.Mark(DetectionMark.Preprocessed);
        ComputeMaps(1);
    }

    /// <summary>Computes both maps of what somebody else makes the networks' input. Not for <see
    /// cref="DetectionMode.Fast"/> on a CUDA device, whose plan preprocesses images itself.</summary>
    /// <param name="preprocess">Writes the networks' input, of the size that the tensor has; called once or
    /// twice.</param>
    /// <exception cref="InvalidOperationException">The plan preprocesses images itself.</exception>
    public void ComputeMaps(Action<Tensor> preprocess)
    {
        if (_fitted.Fit != ImageFit.Squash)
            throw new InvalidOperationException("This plan letterboxes images itself: give it an image.");
        Clock?.Mark(DetectionMark.Start);
        Input.Write(preprocess);
        Clock?.Mark(DetectionMark.Preprocessed);
        ComputeMaps(1);
    }

    /// <summary>Scales and combines the two maps that <see cref="ComputeMaps(ImageView)"/> left, and resizes the
    /// result.</summary>
    /// <param name="height">Of the map in pixels: the image's own.</param>
    /// <param name="width">Of the map in pixels.</param>
    /// <param name="map">Receives height * width values; empty if only the score is wanted.</param>
    /// <returns>The score: the combined map's maximum. Not finite where a network's output is not.</returns>
    public float Combine(MapScaling scaling, int height, int width, Span<float> map) =>
        Combine(0, scaling, height, width, map);

    /// <summary>The same for an image of a batch.</summary>
    /// <param name="sample">Its place.</param>
    public float Combine(int sample, MapScaling scaling, int height, int width, Span<float> map)
    {
        float score = _device is not null
            ? _device.Finish(sample, scaling, height, width, map)
            : _combined.Compute(
                _samples[sample].Local, _samples[sample].Global, scaling, AreaOf(height, width), height, width, map);
        Clock?.Mark(DetectionMark.Downloaded);
        return score;
    }

    public void Dispose()
    {
        _combined.Dispose();
        Fused?.Dispose();
        _tiles?.Dispose();
        _device?.Dispose();
        _networks?.Dispose();
        _tape.Dispose();
    }

    /// <returns>Whether the input is computed in tiles.</returns>
    private static bool RequireTiles(
        DetectionNetworks networks, int batch, ImageFit fit, MapOrder order, int height, int width, int tile)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        if (fit == ImageFit.Letterbox && order != MapOrder.Aligned)
        {
            throw new ArgumentException(
                $"A letterbox needs the map order Aligned, not {order}: the others do not know where the image lies.",
                nameof(order));
        }

        bool isTiled = tile > 0 && (tile < height || tile < width);
        if (isTiled && (networks.Teacher.Padded || tile < PatchDescriptionNetwork.ReceptiveField))
        {
            throw new ArgumentException(
                $"Tiles need at least {PatchDescriptionNetwork.ReceptiveField} pixels a side, not {tile}, and " +
                "networks without padding.",
                nameof(tile));
        }

        return isTiled;
    }

    private Variable Weigh(Variable local, Tensor places)
    {
        Tensor weighed = _tape.Allocate(local.Value.Shape);
        WeighedMap = weighed;
        return _tape.Record(
            weighed, needsGradient: false, () => _backend.WeighPlaces(local.Value, places, weighed), _ => { });
    }

    private (Variable Local, Variable Global) FusedMapsOf(
        CpuBackend cpu, DetectionNetworks networks, DetectionMode mode, FeatureWindow? window)
    {
        FusedMaps fused = FusedMaps.Create(
            cpu, networks, Input, largeTiles: mode == DetectionMode.Fast, _shared?.Hidden, window);
        Fused = fused;
        _tape.Defer(() => fused.Compute(_taken));
        return (Variable.Constant(fused.LocalMap), Variable.Constant(fused.GlobalMap));
    }

    private (Variable Local, Variable Global) QuantizedMapsOf(DetectionNetworks networks, QuantizedNetworks quantized)
    {
        Quantized = new QuantizedMaps(_tape, networks, quantized, Input);
        return (Quantized.Local, Quantized.Global);
    }

    /// <summary>The order decides at which size the quantiles are taken: raw, or resized to the input.</summary>
    private Tensor AtQuantileSize(Variable map, int height, int width) => _order switch
    {
        MapOrder.Paper => _tape.ResizeBilinear(map, height, width).Value,
        MapOrder.Anomalib => _tape.ResizeBilinear(
            _padded ? map : _tape.Pad(map, MapPlacement.PublishedBorder), height, width).Value,
        _ => map.Value,
    };

    /// <summary>The device's plan leaves raw maps; the verdict needs no others, quantiles may.</summary>
    private Tensor Fresh(Tensor map)
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
}
