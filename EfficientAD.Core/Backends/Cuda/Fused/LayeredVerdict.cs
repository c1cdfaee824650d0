using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>By the backend's own launches: partial sums to raw maps, both maps to one, border, resize,
/// maximum.</summary>
internal sealed class LayeredVerdict : VerdictSource
{
    private readonly CudaBackend _backend;
    private readonly HalfLayers _layers;
    private readonly CombinedMap _combined;
    private readonly FittedArea _input;
    private readonly Tensor _score;
    private readonly int _parts;
    private Tensor? _map;
    private MapScaling _scaling;

    /// <exception cref="ArgumentException">The order's score is not that of the image's map.</exception>
    public LayeredVerdict(CudaBackend backend, MapOrder order, int samples, int parts, int height, int width)
        : base(backend.Stream, samples, height, width)
    {
        if (order.IsScoredAtInput())
        {
            throw new ArgumentException(
                $"The verdict cannot be switched off for {order}: use Reference or Aligned.", nameof(order));
        }

        (_backend, _layers, _parts, _input) =
            (backend, new HalfLayers(backend.Kernels), parts, new FittedArea(0, 0, height, width));
        _combined = new CombinedMap(backend, order, padded: false, LocalMap.Shape with { N = 1 });
        _score = backend.Allocate(new Shape(1, 1, 1, 1));
    }

    public override bool HasScaling(MapScaling scaling) => _scaling == scaling;

    public override void SetScaling(MapScaling scaling) => _scaling = scaling;

    public override void Launch(CudaStream stream, nint local, nint global, int samples, ScaledMap map)
    {
        int count = samples * LocalMap.Shape.Plane;
        _layers.Add(stream, local, _parts, count, PatchDescriptionNetwork.TeacherChannels, LocalMap.Address);
        _layers.Add(stream, global, _parts, count, PatchDescriptionNetwork.TeacherChannels, GlobalMap.Address);
        var shape = new Shape(1, 1, map.Height, map.Width);
        if (_map is null || _map.Shape != shape)
        {
            _map?.Dispose();
            _map = _backend.Allocate(shape);
        }

        for (int i = 0; i < samples; i++)
        {
            _combined.Launch(LocalMap.Samples(i, 1), GlobalMap.Samples(i, 1), _scaling, _input, _map, _score);
            long bytes = shape.Count * sizeof(float);
            stream.Copy(_map.Address, map.Values.Address + (nint)(i * bytes), bytes);
            stream.Copy(_score.Address, Scores + i * sizeof(float), sizeof(float));
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _combined.Dispose();
        _score.Dispose();
        _map?.Dispose();
    }
}
