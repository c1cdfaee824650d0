using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Fused;
using EfficientAD.Detection;
using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Native;
using EfficientAD.Tests.References;
using PtxSimulator;

namespace EfficientAD.Tests.Backends.Cuda.Fused;

/// <summary>From partial sums to maps and scores: what the CPU's plan makes of the same maps, one operation after
/// another.</summary>
public sealed class FusedVerdictTests : IDisposable
{
    private const int InputHeight = 61, InputWidth = 78, Parts = 3, Samples = 2, Features = 384;

    private static readonly MapScaling Scaling = new(0.25f, 0.75f, 0.125f, 1.5f);

    private readonly CpuBackend _cpu = new(new CpuOptions { Threads = 1 });
    private readonly DetectionNetworks _networks;

    public FusedVerdictTests() =>
        _networks = new DetectionNetworks(_cpu, PdnSize.Small, padded: false, trainable: false);

    public static TheoryData<MapOrder, int, int, int> Cases
    {
        get
        {
            var data = new TheoryData<MapOrder, int, int, int>();
            foreach (MapOrder order in Enum.GetValues<MapOrder>())
            {
                data.Add(order, 137, 150, 0);
                data.Add(order, 16, 19, 1);  // hardly larger than the maps
                data.Add(order, 3, 300, 2);  // smaller one way: the blocks that end last differ
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void MapsAndScores_AreThoseOfTheCpu(MapOrder order, int height, int width, int seed)
    {
        float[] local = Sums(1), global = Sums(2);
        Outcome outcome = Run(order, local, global, height, width, seed);
        Outcome again = Run(order, local, global, height, width, seed + 5);
        for (int sample = 0; sample < Samples; sample++)
        {
            var map = new float[height * width];
            float score = OnCpu(order, Map(local, sample), Map(global, sample), height, width, map);
            Span<float> actual = outcome.Map.AsSpan(sample * map.Length, map.Length);
            TensorAssert.Close(map, actual, 2e-6, because: "values around 1, combined and resized in either order");
            Assert.Equal(score, outcome.Scores[sample], 2e-6f);
            TensorAssert.Close(
                Map(local, sample), outcome.Local.AsSpan(sample * Plane, Plane), 0, 2e-7, "sums in another order");
            TensorAssert.Close(Map(global, sample), outcome.Global.AsSpan(sample * Plane, Plane), 0, 2e-7, "likewise");
        }

        TensorAssert.SameBits(outcome.Map, again.Map, "another order of blocks");
        TensorAssert.SameBits(outcome.Scores, again.Scores, "another order of blocks");
    }

    [Theory]
    [InlineData(MapOrder.Aligned)]
    [InlineData(MapOrder.Anomalib)]
    public void NotANumber_ReachesItsOwnScoreAlone(MapOrder order)
    {
        float[] local = Sums(1), global = Sums(2);
        local[Samples * Plane + Plane + 7] = float.NaN;  // second part, second sample
        float[] scores = Run(order, local, global, 90, 75, seed: 3).Scores;
        Assert.True(float.IsFinite(scores[0]));
        Assert.True(float.IsNaN(scores[1]));
    }

    public void Dispose()
    {
        _networks.Dispose();
        _cpu.Dispose();
    }

    private static int MapHeight => PatchDescriptionNetwork.OutputSize(InputHeight, padded: false);

    private static int MapWidth => PatchDescriptionNetwork.OutputSize(InputWidth, padded: false);

    private static int Plane => MapHeight * MapWidth;

    /// <summary>[parts, samples, plane], such that maps lie in [0, 1].</summary>
    private static float[] Sums(ulong stream) =>
        Array.ConvertAll(
            Drawn.Symmetric(4, stream, 0.5, Parts * Samples * Plane), value => (value + 0.5f) * (Features / Parts));

    private static float[] Map(float[] sums, int sample)
    {
        var map = new float[Plane];
        for (int i = 0; i < Plane; i++)
        {
            double sum = 0;
            for (int part = 0; part < Parts; part++) sum += sums[(part * Samples + sample) * Plane + i];
            map[i] = (float)(sum / Features);
        }

        return map;
    }

    private float OnCpu(MapOrder order, float[] local, float[] global, int height, int width, float[] map)
    {
        using var plan = new DetectionPlan(_networks, order, InputHeight, InputWidth);
        foreach ((float[] values, Tensor to) in ((float[], Tensor)[])[(local, plan.LocalMap), (global, plan.GlobalMap)])
        {
            using Tensor raw = _cpu.Allocate(new Shape(1, 1, MapHeight, MapWidth));
            using Tensor bordered = _cpu.Allocate(new Shape(1, 1, MapHeight + 8, MapWidth + 8));
            _cpu.Upload(values, raw);
            _cpu.Pad(raw, 4, 0, bordered);
            if (order == MapOrder.Paper) _cpu.ResizeBilinear(raw, to);
            else if (order == MapOrder.Anomalib) _cpu.ResizeBilinear(bordered, to);
            else _cpu.Copy(raw, to);
        }

        return plan.Combine(Scaling, height, width, map);
    }

    private static Outcome Run(MapOrder order, float[] local, float[] global, int height, int width, int seed)
    {
        var options = new SimulatedDeviceOptions
        {
            Seed = seed,
            Checks = Checks.All,
            Counters = false,
            MemoryBytes = 64 << 20,
        };
        using var gpu = new SimulatedContext(options: options);
        using var kernels = new KernelLibrary(gpu.Context);
        using DeviceBuffer onLocal = DeviceArray.Upload<float>(gpu.Stream, local);
        using DeviceBuffer onGlobal = DeviceArray.Upload<float>(gpu.Stream, global);
        using var map = new ScaledMap(gpu.Stream, Samples, height, width);
        using var verdict = new FusedVerdict(gpu.Stream, kernels, order, Samples, Parts, InputHeight, InputWidth);
        verdict.SetScaling(Scaling);
        for (int run = 0; run < 2; run++)  // the count of finished blocks must be back at zero
            verdict.Launch(gpu.Stream, onLocal.Address, onGlobal.Address, Samples, map);
        return new Outcome(
            Read(map.Values.Address, Samples * height * width), Read(verdict.Scores, Samples),
            Read(verdict.LocalMap.Address, Samples * Plane), Read(verdict.GlobalMap.Address, Samples * Plane));

        float[] Read(nint address, int count)
        {
            var values = new float[count];
            gpu.Stream.Download<float>(address, values);
            return values;
        }
    }

    private sealed record Outcome(float[] Map, float[] Scores, float[] Local, float[] Global);
}
