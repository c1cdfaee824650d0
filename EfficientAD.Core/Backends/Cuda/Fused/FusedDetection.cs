using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>From frames to maps and scores on a CUDA device: every layer fused with what follows it, half precision
/// with sums in float32, all launches in one graph of two branches. For S and frames of 256 x 256 these are 14:
/// preprocessing, three layers of teacher and student beside eight of the autoencoder, the last layers, the
/// verdict.</summary>
/// <remarks>
/// Weights are folded here, once. All buffers are allocated here or at the first frames of a new kind; after the second
/// run with frames of a kind nothing is allocated. Same bits every run. Not thread-safe; unpadded networks.
/// docs/fusion.md.
/// </remarks>
internal sealed class FusedDetection : IDisposable
{
    /// <summary>Most frames at a time.</summary>
    public const int MaximumSamples = 64;

    private const int RememberedKinds = 4, StagedFrames = 2;

    // Compute capability 9.x multiplies 8-bit floats by wgmma; mma.sync of them becomes conversions and halves there.
    private const int WithoutFloats = 9;

    private static readonly Version OldestCapability = new(8, 0), OldestForFloats = new(8, 9);

    private readonly CudaBackend _backend;
    private readonly CudaStream _stream, _branch;
    private readonly CudaEvent _forked, _joined;
    private readonly KernelLibrary _kernels;
    private readonly DecoderSource _autoencoder;
    private readonly DecoderColumns? _columns;
    private readonly FusedNetworks _networks;
    private readonly VerdictSource _verdict;
    private readonly WeighedSums? _weighed;
    private readonly DeviceBuffer _image;
    private readonly DeviceBuffer? _autoencoderImage;
    private readonly HalfImage[] _inputs;
    private readonly Dictionary<FrameKind, FrameBuffers> _kinds = [];
    private readonly FusionOptions _options;
    private readonly int _samples;
    private readonly bool _canCapture;
    private readonly float[] _scores;
    private ScaledMap? _map;  // what the last verdict wrote
    private int _taken;  // by the last run
    private bool _hasScores;
    private PinnedRing? _staging;
    private long _stagedBytes;
    private FrameBuffers? _frames;  // of the last run
    private ScaledMap? _otherMap;
    private bool _isWarm;

    /// <param name="networks">Their weights are read here alone; on any backend.</param>
    /// <param name="height">Of the networks' input in pixels.</param>
    /// <param name="width">Of the networks' input in pixels.</param>
    /// <param name="samples">At most so many frames at a time, 1 to <see cref="MaximumSamples"/>.</param>
    /// <param name="quantized">The same networks in numbers of 8 bits; null computes with halves.</param>
    public FusedDetection(
        CudaBackend backend, DetectionNetworks networks, MapOrder order, int height, int width, int samples = 1,
        FusionOptions? options = null, QuantizedNetworks? quantized = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(samples, MaximumSamples);
        (_backend, _stream, _kernels) = (backend, backend.Stream, backend.Kernels);
        (_samples, _options) = (samples, options ?? new FusionOptions());
        _canCapture = backend.CanCapture && _options.Graph && _options.Verdict;
        _scores = new float[samples];
        _branch = new CudaStream(_stream.Context);
        (_forked, _joined) = (new CudaEvent(_stream.Context), new CudaEvent(_stream.Context));
        _image = new DeviceBuffer(_stream, HalfImage.Bytes(samples, height, width));
        _inputs = [new HalfImage(_image.Address, height, width)];
        const int side = Autoencoder.InputSize;
        if (height != side || width != side)
        {
            _autoencoderImage = new DeviceBuffer(_stream, HalfImage.Bytes(samples, side, side));
            _inputs = [_inputs[0], new HalfImage(_autoencoderImage.Address, side, side)];
        }

        _networks = new FusedNetworks(_stream, _kernels, networks, _inputs[0], samples, _options, quantized);
        _autoencoder = _options.Autoencoder
            ? new FusedAutoencoder(_stream, _kernels, networks.Backend, networks.Autoencoder, samples)
            : new LayeredAutoencoder(_stream, _kernels, networks.Backend, networks.Autoencoder, samples);
        int mapHeight = PatchDescriptionNetwork.OutputSize(height, padded: false);
        int mapWidth = PatchDescriptionNetwork.OutputSize(width, padded: false);
        if (!DecoderColumns.AreNotNeeded(mapHeight, mapWidth))
            _columns = new DecoderColumns(_stream, _kernels, samples, mapHeight, mapWidth);
        if (networks.PlaceWeights is not null)
            _weighed = new WeighedSums(_stream, _kernels, networks, samples * _networks.Parts);
        _verdict = _options.Verdict
            ? new FusedVerdict(_stream, _kernels, order, samples, _networks.Parts, height, width)
            : new LayeredVerdict(backend, order, samples, _networks.Parts, height, width);
        _verdict.SetScaling(new MapScaling(0, 1, 0, 1));
    }

    /// <summary>Teacher against student, at its own size, its places weighed where the networks say how, [samples, 1,
    /// h, w].</summary>
    public Tensor LocalMap => _verdict.LocalMap;

    /// <summary>Autoencoder against student, likewise.</summary>
    public Tensor GlobalMap => _verdict.GlobalMap;

    /// <summary>How the launches of one frame are spread over the branches; after the first run.</summary>
    public BranchLaunches BranchLaunches => new(
        _frames!.Preprocessing.Launches(1), _autoencoder.Launches + (_columns is null ? 0 : 1),
        _networks.HiddenLaunches);

    /// <summary>Whether the kernels run on a backend's device: from compute capability 8.0 on.</summary>
    public static bool RunsOn(CudaBackend backend) =>
        backend.Stream.Context.Device.ComputeCapability >= OldestCapability;

    /// <summary>Why a device does not multiply numbers of 8 bits, in a sentence; null where it does.</summary>
    public static string? FindFault(CudaBackend backend, EightBits format)
    {
        Version capability = backend.Stream.Context.Device.ComputeCapability;
        if (format == EightBits.Int8 || (capability >= OldestForFloats && capability.Major != WithoutFloats))
            return null;
        return $"{backend.Name}, of compute capability {capability}, does not multiply {format} by the instruction " +
            $"that the kernels use; {OldestForFloats} and 10.0 on do. Use int8.";
    }

    /// <summary>Computes all of one frame; returns before the device is done.</summary>
    public void Compute(ImageView frame)
    {
        Stage(0, frame);
        Run(1);
    }

    /// <summary>The same for a frame on the device, which is read in the stream's order.</summary>
    /// <exception cref="ArgumentException">The address is not on the device, or the numbers fit no image.</exception>
    public void Compute(in DeviceImage frame)
    {
        Stage(frame);
        Run(1);
    }

    /// <summary>Copies a frame on the device, in the stream's order, to where the graph reads it.</summary>
    /// <exception cref="ArgumentException">The address is not on the device, or the numbers fit no image.</exception>
    public void Stage(in DeviceImage frame)
    {
        ImageView.BytesOf(frame.Width, frame.Height, frame.Stride, frame.Format);
        _stream.Context.RequireDeviceMemory(frame.Address);
        _frames = BuffersFor(new FrameKind(frame.Width, frame.Height, frame.Format));
        // The graph holds an address of ours. Rows may have gaps, which stay behind: one copy where there are none.
        int rowBytes = _frames.Kind.RowBytes;
        bool isDense = frame.Stride == rowBytes;
        for (int y = 0; y < (isDense ? 1 : frame.Height); y++)
        {
            _stream.Copy(
                frame.Address + y * frame.Stride, _frames.AddressOf(0) + y * rowBytes,
                isDense ? _frames.Kind.Bytes : rowBytes);
        }
    }

    /// <summary>Whether a frame may follow one that was staged: frames of a run are of one size and format.</summary>
    public bool IsLikeStaged(ImageView frame) =>
        _frames?.Kind == new FrameKind(frame.Width, frame.Height, frame.Format);

    /// <summary>Sends one of several frames to the device; <see cref="Run"/> follows the last.</summary>
    /// <param name="sample">0 for the first; its kind is that of all.</param>
    /// <exception cref="ArgumentException">The frame's size or format is not that of the first.</exception>
    public void Stage(int sample, ImageView frame)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, _samples);
        var kind = new FrameKind(frame.Width, frame.Height, frame.Format);
        if (sample == 0) _frames = BuffersFor(kind);
        if (_frames is null || _frames.Kind != kind)
            throw new ArgumentException($"Frame {sample} is {kind}, the first one {_frames?.Kind}.", nameof(frame));

        PinnedBuffer staged = NextStaged(kind.Bytes);
        Span<byte> pixels = staged.AsSpan<byte>();
        for (int y = 0; y < frame.Height; y++) frame.Row(y).CopyTo(pixels[(y * kind.RowBytes)..]);
        _stream.Upload(staged, kind.Bytes, _frames.AddressOf(sample));
        _staging!.Retire(_stream);
    }

    /// <summary>Computes all of the frames that were staged; returns before the device is done.</summary>
    public void Run(int samples)
    {
        FrameBuffers frames = _frames ?? throw new InvalidOperationException("FusedDetection: call Stage before Run.");
        (_taken, _map, _hasScores) = (samples, frames.Map, false);
        if (!_canCapture || !_isWarm)
        {
            Launch(frames, samples);
            _isWarm = true;
            return;
        }

        (frames.Graph(samples) ?? Capture(frames, samples)).Launch(_stream);
    }

    /// <summary>Waits for the last run, and tells the score of one of its frames.</summary>
    /// <param name="sample">0 for the first.</param>
    /// <param name="height">Of the map: of the frame as a rule.</param>
    /// <param name="width">Of the same.</param>
    /// <param name="map">Receives height * width values; empty if only the score is wanted.</param>
    /// <returns>NaN where the map holds NaN.</returns>
    public float Finish(int sample, MapScaling scaling, int height, int width, Span<float> map)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, _taken);
        if (_map!.Height != height || _map.Width != width || !_verdict.HasScaling(scaling))
        {
            (_map, _hasScores) = (MapOf(_frames!, height, width), false);
            _verdict.SetScaling(scaling);
            LaunchVerdict(_taken, _map);
        }

        long pixels = (long)height * width;
        if (!map.IsEmpty) _stream.Download(_map.Values.Address + (nint)(sample * pixels * sizeof(float)), map);
        if (!_hasScores) _stream.Download(_verdict.Scores, _scores.AsSpan(0, _taken));
        _hasScores = true;
        return _scores[sample];
    }

    public void Dispose()
    {
        _staging?.Dispose();
        foreach (FrameBuffers frames in _kinds.Values) frames.Dispose();
        foreach (IDisposable part in new IDisposable[]
            { _verdict, _autoencoder, _networks, _image, _forked, _joined, _branch })
        {
            part.Dispose();
        }

        _columns?.Dispose();
        _weighed?.Dispose();
        _autoencoderImage?.Dispose();
        _otherMap?.Dispose();
    }

    private CudaGraph Capture(FrameBuffers frames, int samples) =>
        frames.Graph(samples) = _stream.Capture(() => Launch(frames, samples));

    private void Launch(FrameBuffers frames, int samples)
    {
        frames.Preprocessing.Launch(_stream, frames.First, frames.Kind.Bytes, samples);
        CudaStream branch = _options.Branches ? _branch : _stream;
        if (_options.Branches)
        {
            _forked.Record(_stream);
            _branch.Wait(_forked);
        }

        _autoencoder.Launch(branch, _inputs[^1], samples);
        _columns?.Launch(branch, _autoencoder.Hidden, samples);
        _networks.LaunchHidden(_stream, samples);
        if (_options.Branches)
        {
            _joined.Record(_branch);
            _stream.Wait(_joined);
        }

        _networks.LaunchLast(_stream, _columns?.Output ?? _autoencoder.Output, samples);
        _weighed?.Launch(_stream, _networks.LocalSums, samples * _networks.Parts);
        LaunchVerdict(samples, frames.Map);
    }

    private void LaunchVerdict(int samples, ScaledMap map) => _verdict.Launch(
        _stream, _weighed?.Address ?? _networks.LocalSums, _networks.GlobalSums, samples, map);

    private FrameBuffers BuffersFor(FrameKind kind)
    {
        if (_kinds.TryGetValue(kind, out FrameBuffers? known)) return known;
        if (_kinds.Count == RememberedKinds)
        {
            _stream.Synchronize();  // a graph may be under way
            foreach (FrameBuffers old in _kinds.Values) old.Dispose();
            _kinds.Clear();
        }

        FrameSource preprocessing = _options.Preprocess
            ? new FramePreprocessing(_stream, _kernels, kind.Height, kind.Width, _inputs)
            : new LayeredPreprocessing(_backend, _inputs);
        return _kinds[kind] = new FrameBuffers(_stream, kind, _samples, preprocessing);
    }

    private ScaledMap MapOf(FrameBuffers frames, int height, int width)
    {
        if (frames.Map.Height == height && frames.Map.Width == width) return frames.Map;
        if (_otherMap is not null && _otherMap.Height == height && _otherMap.Width == width) return _otherMap;
        _otherMap?.Dispose();
        return _otherMap = new ScaledMap(_stream, _samples, height, width);
    }

    private PinnedBuffer NextStaged(long bytes)
    {
        if (_staging is null || _stagedBytes < bytes)
        {
            _staging?.Dispose();
            _staging = new PinnedRing(_stream.Context, StagedFrames, bytes, writeCombined: true);
            _stagedBytes = bytes;
        }

        return _staging.Next();
    }
}

/// <summary>Launches of a frame by where they run; those behind the branches are the rest.</summary>
/// <param name="Before">Before the branches.</param>
/// <param name="Autoencoder">On the autoencoder's branch.</param>
/// <param name="Networks">On that of teacher and student.</param>
internal readonly record struct BranchLaunches(int Before, int Autoencoder, int Networks);
