using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Backends.Cuda.Training;

/// <summary>Steps of a training on a CUDA device, each one captured graph that begins with the step's views of images,
/// which lie on the device in 8 bits.</summary>
/// <remarks>For each step: <see cref="Begin"/>, <see cref="Add"/> for every view, <see cref="SendDraws"/>,
/// <see cref="Run"/>. Not thread-safe.</remarks>
internal sealed class DeviceStep : IDisposable
{
    private const int TileWidth = 32, TileHeight = 8;  // as preprocess_tile.cuh has them

    private readonly CudaBackend _backend;
    private readonly CudaStream _stream;
    private readonly StepGraph _graph;
    private readonly DeviceImages _images;
    private readonly Dictionary<PreprocessingSizes, ResizeFilterPair> _filters = [];
    private readonly View[] _views;
    private readonly Extent _tiles;
    private (ulong Streams, AdamSettings Settings, int Step) _drawn;
    private int _viewCount;

    /// <param name="outputs">Where views are written, in the order in which they will be added.</param>
    /// <param name="losses">One number each.</param>
    /// <param name="imageBudget">Bytes of images that stay on the device.</param>
    /// <param name="work">A step from its inputs on, the same each time: what changes stands in the block.</param>
    public DeviceStep(
        CudaBackend backend, IReadOnlyList<Tensor> outputs, IReadOnlyList<Tensor> losses, long imageBudget, Action work)
    {
        (_backend, _stream) = (backend, backend.Stream);
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
        _graph = new StepGraph(backend, losses, (long)outputs.Count * Unsafe.SizeOf<View>(), () =>
        {
            LaunchViews();
            work();
        });
    }

    /// <summary>Begins to draw a step.</summary>
    /// <param name="streams">Random streams that it lies behind those with which dropout is called.</param>
    /// <param name="step">1 for the first step.</param>
    public void Begin(ulong streams, AdamSettings settings, int step)
    {
        _drawn = (streams, settings, step);
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
        _graph.Send(_drawn.Streams, _drawn.Settings, _drawn.Step, MemoryMarshal.AsBytes<View>(_views));
    }

    /// <summary>Writes all views.</summary>
    public void LaunchViews() => _backend.Kernels.Get("training_views", "training_views").Launch(
        _stream, new LaunchShape(_tiles, new Extent(TileWidth, TileHeight)), _graph.ExtraAddress);

    /// <summary>Gives the step to the device.</summary>
    /// <returns>The losses of <see cref="StepGraph.Delay"/> steps before; of the first steps their own, for which the
    /// device is waited for. Valid until the next call.</returns>
    public ReadOnlySpan<float> Run()
    {
        _graph.Run();
        return _graph.LossesOf(_graph.Steps - 1 - (_graph.Steps > StepGraph.Delay ? StepGraph.Delay : 0));
    }

    /// <summary>Whether a step was given.</summary>
    public bool HasRun => _graph.Steps > 0;

    /// <summary>Waits for the last step; there must be one.</summary>
    /// <returns>Its losses; valid until the next step.</returns>
    public ReadOnlySpan<float> AwaitLosses() => _graph.LossesOf(_graph.Steps - 1);

    public void Dispose()
    {
        _graph.Dispose();
        foreach (ResizeFilterPair filters in _filters.Values) filters.Dispose();
        _images.Dispose();
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
