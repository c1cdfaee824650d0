using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Tests.Detection;

/// <summary>An input computed in tiles gives the maps of the whole input.</summary>
public sealed class TiledDetectionTests : IDisposable
{
    private const int Height = 157, Width = 124;  // nothing divides anything

    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 2 });
    private readonly DetectionNetworks _networks;

    public TiledDetectionTests()
    {
        _networks = new DetectionNetworks(_backend, PdnSize.Small, padded: false, trainable: false);
        _networks.Teacher.Initialize(new CounterRandom(1, 0));
        _networks.Student.Initialize(new CounterRandom(2, 0));
        _networks.Autoencoder.Initialize(new CounterRandom(3, 0));
        _backend.Fill(1, _networks.Deviation);
        ScaleUp(_networks.Autoencoder.Layers[^1]);  // else its output hardly depends on the place
    }

    public static TheoryData<DetectionMode, int, ImageFit> Cases => new()
    {
        { DetectionMode.Plain, 80, ImageFit.Squash },
        { DetectionMode.Fast, 80, ImageFit.Squash },
        { DetectionMode.Precise, 80, ImageFit.Letterbox },
        { DetectionMode.Plain, 140, ImageFit.Letterbox },  // tiles as wide as the input
    };

    [Theory, MemberData(nameof(Cases))]
    public void Maps_AreThoseOfTheWholeInput(DetectionMode mode, int tile, ImageFit fit)
    {
        RgbImage image = NaturalTexture.Render(4, 0, 200);
        using DetectionPlan whole = Plan(mode, tile: 0, fit), tiled = Plan(mode, tile, fit);
        whole.ComputeMaps(image.View);
        tiled.ComputeMaps(image.View);
        AssertSame(whole.LocalMap, tiled.LocalMap);
        AssertSame(whole.GlobalMap, tiled.GlobalMap);

        // The next image is not the last one's tiles.
        RgbImage next = NaturalTexture.Render(4, 1, 200);
        whole.ComputeMaps(next.View);
        tiled.ComputeMaps(next.View);
        AssertSame(whole.LocalMap, tiled.LocalMap);
        var scaling = new MapScaling(0, 1, 0, 1);
        float[] expected = new float[200 * 200], actual = new float[200 * 200];
        float score = whole.Combine(scaling, 200, 200, expected);
        Assert.Equal(score, tiled.Combine(scaling, 200, 200, actual), 1e-4f * score);
        TensorAssert.Close(expected, actual, 1e-4 * score, because: "sums in another order");
    }

    [Fact]
    public void InputThatATileHolds_IsNotTiled()
    {
        using DetectionPlan whole = Plan(DetectionMode.Fast, tile: 0, ImageFit.Squash);
        using DetectionPlan plan = Plan(DetectionMode.Fast, tile: 160, ImageFit.Squash);
        RgbImage image = NaturalTexture.Render(4, 0, 64);
        whole.ComputeMaps(image.View);
        plan.ComputeMaps(image.View);
        Assert.Equal(_backend.Download(whole.LocalMap), _backend.Download(plan.LocalMap));
    }

    [Fact]
    public void PaddedNetworks_AreRefused()
    {
        using var networks = new DetectionNetworks(_backend, PdnSize.Small, padded: true, trainable: false);
        var refused = Assert.Throws<ArgumentException>(() => new DetectionPlan(
            networks, MapOrder.Paper, Height, Width, tile: 80));
        Assert.Contains("without padding", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _networks.Dispose();
        _backend.Dispose();
    }

    private DetectionPlan Plan(DetectionMode mode, int tile, ImageFit fit) =>
        new(_networks, MapOrder.Aligned, Height, Width, mode, batch: 1, fit, tile);

    /// <summary>Up to rounding: minimal filtering sums in an order that depends on where a tile begins.</summary>
    private void AssertSame(Tensor expected, Tensor actual)
    {
        float[] values = _backend.Download(expected);
        TensorAssert.Close(values, _backend.Download(actual), 1e-4 * values.Max(), because: "sums in another order");
    }

    private void ScaleUp(ConvolutionLayer layer)
    {
        float[] weights = _backend.Download(layer.Weights.Value);
        _backend.Upload([.. weights.Select(weight => 30 * weight)], layer.Weights.Value);
    }
}
