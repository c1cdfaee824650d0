using EfficientAD.Detection;
using EfficientAD.Native;
using EfficientAD.Networks;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>In one launch; in two where the order takes the maximum at the input's size.</summary>
internal sealed class FusedVerdict : VerdictSource
{
    private const int Threads = 128, Strip = 8, ScalingValues = 3;

    private readonly CudaStream _stream;
    private readonly CudaKernel _kernel, _resize;
    private readonly MapOrder _order;
    private readonly (int Height, int Width) _input, _plane;
    private readonly int _parts;
    private readonly DeviceBuffer _scaling, _done;
    private readonly DeviceBuffer? _atInput, _inputMaxima;
    private MapScaling? _known;

    /// <param name="samples">At most so many at a time.</param>
    /// <param name="parts">Partial sums of each map.</param>
    /// <param name="height">Of the networks' input in pixels.</param>
    /// <param name="width">Of the networks' input in pixels.</param>
    public FusedVerdict(
        CudaStream stream, KernelLibrary kernels, MapOrder order, int samples, int parts, int height, int width)
        : base(stream, samples, height, width)
    {
        (_stream, _order, _parts, _input) = (stream, order, parts, (height, width));
        _kernel = kernels.Get("fused_verdict", "fused_verdict");
        _resize = kernels.Get("resize_bilinear", "resize_bilinear_forward");
        _plane = (
            PatchDescriptionNetwork.OutputSize(height, padded: false),
            PatchDescriptionNetwork.OutputSize(width, padded: false));
        _scaling = new DeviceBuffer(stream, ScalingValues * sizeof(float));
        _done = new DeviceBuffer(stream, samples * sizeof(uint));
        stream.Fill(0, _done.Address, samples);
        if (!order.IsScoredAtInput()) return;
        _atInput = new DeviceBuffer(stream, (long)samples * height * width * sizeof(float));
        _inputMaxima = new DeviceBuffer(stream, MaximaBytes(samples, height, width));
    }

    /// <summary>Bytes that the blocks' maxima take for maps of this size.</summary>
    public static long MaximaBytes(int samples, int height, int width) =>
        (long)samples * ConvolutionProduct.CeilingOf(width, Threads) * ConvolutionProduct.CeilingOf(height, Strip)
        * sizeof(float);

    public override bool HasScaling(MapScaling scaling) => _known == scaling;

    /// <remarks>Waits for the device where it is a new one.</remarks>
    public override void SetScaling(MapScaling scaling)
    {
        if (_known == scaling) return;
        _stream.Upload<float>([scaling.LocalScale, scaling.GlobalScale, scaling.Offset], _scaling.Address);
        _known = scaling;
    }

    public override void Launch(CudaStream stream, nint local, nint global, int samples, ScaledMap map)
    {
        (int Height, int Width) image = (map.Height, map.Width);
        (nint values, nint maxima) = (map.Values.Address, map.Maxima.Address);
        int border = MapPlacement.PublishedBorder;
        switch (_order)
        {
            case MapOrder.Aligned:
                Combine(MapPlacement.Aligned(padded: false, _input, image), values, maxima, image);
                break;
            case MapOrder.Reference:
                Combine(MapPlacement.Spread(_plane, border, isBorderZero: true, image), values, maxima, image);
                break;
            default:
                border = _order == MapOrder.Anomalib ? border : 0;
                Combine(
                    MapPlacement.Spread(_plane, border, isBorderZero: false, _input), _atInput!.Address,
                    _inputMaxima!.Address, _input);
                Resize(stream, samples, values, image);
                break;
        }

        void Combine(MapPlacement place, nint to, nint blocksMaxima, (int Height, int Width) size) => _kernel.Launch(
            stream, new LaunchShape(
                new Extent(
                    ConvolutionProduct.CeilingOf(size.Width, Threads), ConvolutionProduct.CeilingOf(size.Height, Strip),
                    samples),
                new Extent(Threads)),
            local, global, _parts, PatchDescriptionNetwork.TeacherChannels, _plane.Height, _plane.Width,
            _scaling.Address,
            place.Border, place.IsBorderZero ? 1 : 0, place.ScaleY, place.OffsetY, place.ScaleX, place.OffsetX,
            size.Height, size.Width, LocalMap.Address, GlobalMap.Address, to, blocksMaxima, _done.Address, Scores);
    }

    public override void Dispose()
    {
        base.Dispose();
        _scaling.Dispose();
        _done.Dispose();
        _atInput?.Dispose();
        _inputMaxima?.Dispose();
    }

    private void Resize(CudaStream stream, int samples, nint map, (int Height, int Width) image)
    {
        MapPlacement place = MapPlacement.Spread(_input, 0, isBorderZero: false, image);
        _resize.Launch(
            stream, new LaunchShape(
                new Extent(ConvolutionProduct.CeilingOf(image.Height * image.Width, Threads), samples),
                new Extent(Threads)),
            _atInput!.Address, samples, _input.Height, _input.Width, place.ScaleY, place.OffsetY, place.ScaleX,
            place.OffsetX, image.Height, image.Width, map);
    }
}
