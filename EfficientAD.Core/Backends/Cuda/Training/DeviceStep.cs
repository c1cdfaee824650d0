using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Backends.Cuda.Training;

/// <summary>Steps of a training on a CUDA device, each one captured graph: what a step draws is sent as one small block, which
/// the graph's kernels read; its images lie on the device in 8 bits; losses come back while later steps run.</summary>
/// <remarks>For each step: <see cref="Begin"/>, <see cref="Add"/> for every view, <see cref="SendDraws"/>, <see cref="Run"/>.
/// The first step is given kernel by kernel, the second captured. Not thread-safe.</remarks>
internal sealed class DeviceStep : IDisposable
{
    /// <summary>Steps whose losses are under way while the next is given.</summary>
    public const int Delay = 4;

    private const int TileWidth = 32, TileHeight = 8;  // as preprocess_tile.cuh has them

    private readonly CudaBackend _backend;
    private readonly CudaStream _stream;
    private readonly IReadOnlyList<Tensor> _losses;
    private readonly Action _work;
    private readonly DeviceImages _images;
    private readonly Dictionary<PreprocessingSizes, ResizeFilterPair> _filters = [];
    private readonly PinnedRing _draws;
    private readonly DeviceBuffer _block, _lossValues;
    private readonly PinnedBuffer[] _results;
    private readonly CudaEvent[] _arrived;
    private readonly View[] _views;
    private readonly Extent _tiles;
    private Values _values;
    private int _viewCount, _steps;
    private CudaGraph? _graph;

    /// <param name="outputs">Where views are written, in the order in which they will be added.</param>
    /// <param name="losses">One number each.</param>
    /// <param name="imageBudget">Bytes of images that stay on the device.</param>
    /// <param name="work">A step from its inputs on, the same each time: what changes stands in the block.</param>
    public DeviceStep(
        CudaBackend backend, IReadOnlyList<Tensor> outputs, IReadOnlyList<Tensor> losses, long imageBudget, Action work)
    {
        (_backend, _stream, _losses, _work) = (backend, backend.Stream, losses, work);
        _images = new DeviceImages(backend, imageBudget);
        _views = new View[outputs.Count];
        for (int i = 0; i < outputs.Count; i++)
        {
            Shape shape = outputs[i].Shape;
            _views[i] = new View { Output = outputs[i].Address, Height = shape.H, Width = shape.W };
        }

        _tiles = new Extent(
            ConvolutionProduct.CeilingOf(outputs.Max(output => output.Shape.W), TileWidth),
            ConvolutionProduct.CeilingOf(outputs.Max(output => output.Shape.H), TileHeight), outputs.Count);
        long bytes = Unsafe.SizeOf<Values>() + (long)outputs.Count * Unsafe.SizeOf<View>();
        _block = new DeviceBuffer(_stream, bytes);
        _draws = new PinnedRing(_stream.Context, Delay, bytes);
        _lossValues = new DeviceBuffer(_stream, losses.Count * sizeof(float));
        _results = new PinnedBuffer[Delay + 1];
        _arrived = new CudaEvent[Delay + 1];
        for (int i = 0; i <= Delay; i++)
        {
            _results[i] = new PinnedBuffer(_stream.Context, losses.Count * sizeof(float));
            _arrived[i] = new CudaEvent(_stream.Context);
        }
    }

    /// <summary>Begins to draw a step.</summary>
    /// <param name="streams">Random streams that it lies behind those with which dropout is called.</param>
    /// <param name="step">1 for the first step.</param>
    public void Begin(ulong streams, AdamSettings settings, int step)
    {
        var c = new AdamCoefficients(settings, step);
        _values = new Values { Streams = streams, Correction2 = c.Correction2, StepSize = c.StepSize };
        _viewCount = 0;
        _images.ForgetPassing();
    }

    /// <summary>An image on the device.</summary>
    public ResidentImage Find(ImageSet set, int index) => _images.Find(set, index);

    /// <summary>Shows an image to the next view.</summary>
    /// <param name="zoom">The image is resized to so many times the view, of which the centre is taken.</param>
    public void Add(ResidentImage image, ColourAdjustment adjustment, int zoom = 1)
    {
        adjustment.RequireFiniteFactor();
        ref View view = ref _views[_viewCount++];
        DeviceImage frame = image.Image;
        var sizes = new PreprocessingSizes(
            frame.Height, frame.Width, zoom * view.Height, zoom * view.Width, view.Height, view.Width);
        if (!_filters.TryGetValue(sizes, out ResizeFilterPair? filters))
            filters = _filters[sizes] = new ResizeFilterPair(_stream, sizes);
        view = view with
        {
            Pixels = frame.Address,
            Stride = frame.Stride,
            PixelBytes = frame.PixelBytes,
            Red = frame.Red,
            Blue = frame.Blue,
            Columns = filters.Columns,
            Rows = filters.Rows,
            LumaSum = image.LumaSum,
            FrameWidth = frame.Width,
            FrameHeight = frame.Height,
            Adjustment = (int)adjustment.Kind,
            Factor = adjustment.Factor,
        };
    }

    /// <summary>Sends what was drawn.</summary>
    public void SendDraws()
    {
        if (_viewCount != _views.Length)
            throw new InvalidOperationException($"DeviceStep: {_viewCount} of {_views.Length} views were added.");
        PinnedBuffer block = _draws.Next();
        MemoryMarshal.AsBytes(new ReadOnlySpan<Values>(in _values)).CopyTo(block.AsSpan<byte>());
        MemoryMarshal.AsBytes<View>(_views).CopyTo(block.AsSpan<byte>()[Unsafe.SizeOf<Values>()..]);
        _stream.Upload(block, _block.Address);
        _draws.Retire(_stream);
    }

    /// <summary>Writes all views.</summary>
    public void LaunchViews() => _backend.Kernels.Get("training_views", "training_views").Launch(
        _stream, new LaunchShape(_tiles, new Extent(TileWidth, TileHeight)), _block.Address + Unsafe.SizeOf<Values>());

    /// <summary>Gives the step to the device.</summary>
    /// <returns>The losses of <see cref="Delay"/> steps before; of the first steps their own, for which the device is waited
    /// for. Valid until the next call.</returns>
    public ReadOnlySpan<float> Run()
    {
        if (_graph is null && _steps > 0 && _backend.CanCapture) _graph = _stream.Capture(Work);
        if (_graph is not null) _graph.Launch(_stream);
        else Work();
        int slot = _steps % _results.Length;
        _stream.Download(_lossValues.Address, _results[slot]);
        _arrived[slot].Record(_stream);
        _steps++;
        return ResultOf(_steps <= Delay ? _steps - 1 : _steps - 1 - Delay);
    }

    /// <summary>Whether a step was given.</summary>
    public bool HasRun => _steps > 0;

    /// <summary>Waits for the last step; there must be one.</summary>
    /// <returns>Its losses; valid until the next step.</returns>
    public ReadOnlySpan<float> AwaitLosses() => ResultOf(_steps - 1);

    public void Dispose()
    {
        _graph?.Dispose();
        _draws.Dispose();
        AwaitResults();
        foreach (PinnedBuffer result in _results) result.Dispose();
        foreach (CudaEvent arrived in _arrived) arrived.Dispose();
        foreach (ResizeFilterPair filters in _filters.Values) filters.Dispose();
        _images.Dispose();
        _block.Dispose();
        _lossValues.Dispose();
    }

    private void AwaitResults()
    {
        try
        {
            foreach (CudaEvent arrived in _arrived) arrived.Synchronize();
        }
        catch (CudaException)
        {
            // The context was lost, and who reads losses is told; no copy will come any more.
        }
    }

    private ReadOnlySpan<float> ResultOf(int step)
    {
        int slot = step % _results.Length;
        _arrived[slot].Synchronize();
        return _results[slot].AsSpan<float>();
    }

    private void Work()
    {
        LaunchViews();
        _backend.StepValues = _block.Address;
        try
        {
            _work();
        }
        finally
        {
            _backend.StepValues = 0;
        }

        for (int i = 0; i < _losses.Count; i++)
            _stream.Copy(_losses[i].Address, _lossValues.Address + i * sizeof(float), sizeof(float));
    }

    /// <summary>As step.cuh has it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Values
    {
        public ulong Streams;
        public float Correction2, StepSize;
    }

    /// <summary>As training_views.cu has it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct View
    {
        public nint Pixels;
        public int Stride, PixelBytes, Red, Blue;
        public DeviceFilter Columns, Rows;
        public nint Output, LumaSum;
        public int FrameWidth, FrameHeight, Height, Width, Adjustment;
        public float Factor;
    }
}
