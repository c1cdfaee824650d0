using EfficientAD.Backends;
using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Detection;

/// <summary>The way from two maps to the one that is shown, at the image's size, and its maximum (paper, section
/// 3.4).</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class CombinedMap : IDisposable
{
    private const int Border = MapPlacement.PublishedBorder;

    private readonly IBackend _backend;
    private readonly MapOrder _order;
    private readonly bool _padded;
    private readonly Tensor _combined, _score;
    private Tensor? _bordered, _map;

    /// <param name="padded">Whether the networks are.</param>
    /// <param name="shape">Of one of the two maps, at the size at which the order takes quantiles: [1, 1, h,
    /// w].</param>
    public CombinedMap(IBackend backend, MapOrder order, bool padded, Shape shape)
    {
        (_backend, _order, _padded) = (backend, order, padded);
        (_combined, _score) = (backend.Allocate(shape), backend.Allocate(new Shape(1, 1, 1, 1)));
    }

    /// <param name="local">Teacher against student, of the shape that was announced, as the other.</param>
    /// <param name="area">What the image covers of the networks' input.</param>
    /// <param name="height">Of the map in pixels.</param>
    /// <param name="width">Of the map in pixels.</param>
    /// <param name="map">Receives height * width values; empty if only the score is wanted.</param>
    /// <returns>The combined map's maximum; NaN where a map holds NaN.</returns>
    public float Compute(
        Tensor local, Tensor global, MapScaling scaling, FittedArea area, int height, int width, Span<float> map)
    {
        if (_map is null || _map.Shape.H != height || _map.Shape.W != width)
        {
            _map?.Dispose();
            _map = _backend.Allocate(new Shape(1, 1, height, width));
        }

        bool isMapNeeded = !map.IsEmpty || !_order.IsScoredAtInput();
        Launch(local, global, scaling, area, isMapNeeded ? _map : null, _score);
        if (!map.IsEmpty) _backend.Download(_map!, map);  // behind all launches: it waits for them
        Span<float> score = stackalloc float[1];
        _backend.Download(_score, score);
        return score[0];
    }

    /// <summary>The same into tensors, without waiting for a device.</summary>
    /// <param name="map">Overwritten; null only where the score does not need it.</param>
    /// <param name="score">Overwritten; one number.</param>
    public void Launch(Tensor local, Tensor global, MapScaling scaling, FittedArea area, Tensor? map, Tensor score)
    {
        _backend.CombineMaps(local, global, scaling.LocalScale, scaling.GlobalScale, scaling.Offset, _combined);
        if (map is not null) Resize(area, map);
        _backend.Maximum(_order.IsScoredAtInput() ? _combined : map!, score);
    }

    public void Dispose()
    {
        _combined.Dispose();
        _score.Dispose();
        _bordered?.Dispose();
        _map?.Dispose();
    }

    private void Resize(FittedArea area, Tensor map)
    {
        switch (_order)
        {
            case MapOrder.Aligned:
                MapPlacement place = MapPlacement.Aligned(_padded, area, (map.Shape.H, map.Shape.W));
                _backend.ResampleBilinear(_combined, place.ScaleY, place.OffsetY, place.ScaleX, place.OffsetX, map);
                break;
            case MapOrder.Reference when !_padded:
                Shape shape = _combined.Shape;
                _bordered ??= _backend.Allocate(shape with { H = shape.H + 2 * Border, W = shape.W + 2 * Border });
                _backend.Pad(_combined, Border, 0, _bordered);
                _backend.ResizeBilinear(_bordered, map);
                break;
            default:
                _backend.ResizeBilinear(_combined, map);
                break;
        }
    }
}
