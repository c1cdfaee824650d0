using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Detection;

/// <summary>Where a single hot value of the maps comes out in each order, and what becomes the score.</summary>
public sealed class DetectionPlanTests : IDisposable
{
    // Twice the network's input: places below are in pixels of the image, two per pixel of the input.
    private const int Input = 128, Image = 256;

    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 1 });

    [Theory]
    [InlineData(MapOrder.Aligned, false, 2 * (16.5 + 4 * 10))]      // the centre of the tenth output's patch
    [InlineData(MapOrder.Aligned, true, 2 * (0.5 + 4 * 10))]
    [InlineData(MapOrder.Reference, false, 2 * (18 + 4 * 10))]      // 1.5 pixels of the input too far
    [InlineData(MapOrder.Anomalib, false, 2 * (18 + 4 * 10))]
    [InlineData(MapOrder.Paper, true, 2 * (2 + 4 * 10))]            // 32 outputs over 128 pixels
    public void HotValue_ComesOutWhereTheOrderPutsIt(MapOrder order, bool padded, double expectedCentre)
    {
        using DetectionNetworks networks = Networks(padded);
        using var plan = new DetectionPlan(networks, order, Input, Input);
        SetLocalMap(plan, order, padded, hot: 10);

        var map = new float[Image * Image];
        plan.Combine(new MapScaling(0, 1, 0, 1), Image, Image, map);
        double sum = 0, x = 0, y = 0;
        for (int i = 0; i < map.Length; i++)
        {
            sum += map[i];
            x += map[i] * (i % Image + 0.5);
            y += map[i] * (i / Image + 0.5);
        }

        // The centre of mass of a bilinear bump; 0.01 covers its float sums.
        Assert.Equal(expectedCentre, x / sum, 0.01);
        Assert.Equal(expectedCentre, y / sum, 0.01);
    }

    [Fact]
    public void Combine_ScalesBothMapsAndReturnsTheMaximum()
    {
        using DetectionNetworks networks = Networks(padded: false);
        using var plan = new DetectionPlan(networks, MapOrder.Aligned, Input, Input);
        _backend.Fill(3, plan.LocalMap);
        _backend.Fill(5, plan.GlobalMap);

        // 0.5 * 0.1 * (3 - 1) / (2 - 1) + 0.5 * 0.1 * (5 - 4) / (6 - 4) = 0.1 + 0.025
        var map = new float[Image * Image];
        float score = plan.Combine(new MapScaling(1, 2, 4, 6), Image, Image, map);
        Assert.Equal(0.125f, score, 1e-6f);
        Assert.All(map, value => Assert.Equal(0.125f, value, 1e-6f));
    }

    [Fact]
    public void NotANumberInAMap_ReachesTheScore()
    {
        using DetectionNetworks networks = Networks(padded: false);
        using var plan = new DetectionPlan(networks, MapOrder.Reference, Input, Input);
        var values = new float[plan.LocalMap.Shape.Count];
        values[7] = float.NaN;
        _backend.Upload(values, plan.LocalMap);
        Assert.True(float.IsNaN(plan.Combine(new MapScaling(0, 1, 0, 1), Image, Image, [])));
    }

    public void Dispose() => _backend.Dispose();

    /// <summary>One hot value of the raw map; orders that resize before the quantiles get it resized by the
    /// backend.</summary>
    private void SetLocalMap(DetectionPlan plan, MapOrder order, bool padded, int hot)
    {
        int size = PatchDescriptionNetwork.OutputSize(Input, padded);
        using Tensor raw = _backend.Allocate(new Shape(1, 1, size, size));
        var values = new float[size * size];
        values[hot * size + hot] = 100;
        _backend.Upload(values, raw);
        _backend.Fill(0, plan.GlobalMap);
        if (order is MapOrder.Reference or MapOrder.Aligned)
        {
            _backend.Copy(raw, plan.LocalMap);
            return;
        }

        int border = order == MapOrder.Anomalib && !padded ? 4 : 0;
        using Tensor bordered = _backend.Allocate(new Shape(1, 1, size + 2 * border, size + 2 * border));
        _backend.Pad(raw, border, 0, bordered);
        _backend.ResizeBilinear(bordered, plan.LocalMap);
    }

    private DetectionNetworks Networks(bool padded) => new(_backend, PdnSize.Small, padded, trainable: false);
}
