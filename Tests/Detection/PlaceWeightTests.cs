using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Backends;
using EfficientAD.Tests.References;
using EfficientAD.Training;

namespace EfficientAD.Tests.Detection;

/// <summary>However a plan computes, place weights change its local map, and nothing else, as plain loops
/// say.</summary>
public sealed class PlaceWeightTests : IDisposable
{
    private const int Height = 101, Width = 90;

    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 2 });

    [Theory]
    [InlineData(DetectionMode.Plain, false, 0)]
    [InlineData(DetectionMode.Plain, true, 0)]
    [InlineData(DetectionMode.Fast, false, 0)]
    [InlineData(DetectionMode.Precise, false, 64)]  // in tiles: weighed once, and across their seams
    public void LocalMap_IsTheWeighedMeanOfNeighbours(DetectionMode mode, bool padded, int tile)
    {
        using DetectionNetworks published = Drawn.Networks(_backend, PdnSize.Small, trainable: false, padded);
        using DetectionNetworks weighed = Drawn.Networks(_backend, PdnSize.Small, trainable: false, padded);
        Tensor weights = weighed.AddPlaceWeights(Height, Width);
        HostTensor places = HostTensor.Random(weights.Shape, 5, 5).Map(value => 1 + 0.9 * value);
        _backend.Upload(places.ToFloats(), weights);
        using DetectionPlan before = Plan(published), after = Plan(weighed);
        for (int i = 0; i < 2; i++)  // the second image is not the first one's map
        {
            RgbImage image = NaturalTexture.Render(3, i, 120);
            before.ComputeMaps(image.View);
            after.ComputeMaps(image.View);
            HostTensor expected = PlainLosses.WeighPlaces(
                HostTensor.FromFloats(before.LocalMap.Shape, _backend.Download(before.LocalMap)), places);
            TensorAssert.Close(
                expected.Values, _backend.Download(after.LocalMap), 0, 1e-5, "means of nine, after other roundings");
            Assert.Equal(_backend.Download(before.GlobalMap), _backend.Download(after.GlobalMap));
        }

        DetectionPlan Plan(DetectionNetworks networks) =>
            new(networks, MapOrder.Reference, Height, Width, mode, tile: tile);
    }

    public void Dispose() => _backend.Dispose();
}
