using EfficientAD.Backends.Cpu;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends.Cpu;

/// <summary>Against sorting, at sizes that are counted in several parts.</summary>
public sealed unsafe class RadixSelectionTests : IDisposable
{
    private readonly WorkerPool _pool = new(3);

    public void Dispose() => _pool.Dispose();

    public static TheoryData<string, int> Distributions => new()
    {
        { "uniform", 200_003 },
        { "squares", 200_003 },
        { "equal", 150_001 },       // every value in one bucket
        { "seven values", 150_001 },
        { "all exponents", 200_003 },
        { "neighbours", 150_001 },  // adjacent floats: the last bits decide
        { "ascending", 1_100_000 }, // more parts than are allowed
    };

    [Theory, MemberData(nameof(Distributions))]
    public void Quantile_EqualsSorting(string distribution, int count)
    {
        float[] values = Draw(distribution, count);
        float[] sorted = [.. values.Order()];
        foreach (float q in new[] { 0, 0.001f, 0.5f, 0.9f, 0.999f, 1 })
        {
            double position = q * (double)(count - 1);
            int rank = (int)position;
            double fraction = position - rank, lower = sorted[rank], upper = sorted[Math.Min(rank + 1, count - 1)];
            Assert.Equal((float)((1 - fraction) * lower + fraction * upper), Select(values, q));
        }
    }

    [Theory, InlineData(0), InlineData(65_536), InlineData(200_002)]
    public void Quantile_IsNanWhereverANanLies(int index)
    {
        float[] values = Draw("uniform", 200_003);
        values[index] = float.NaN;
        Assert.Equal(float.NaN, Select(values, 0.5f));
        values[index] = -float.NaN;
        Assert.Equal(float.NaN, Select(values, 0.5f));
    }

    private float Select(float[] values, float q)
    {
        fixed (float* first = values) return new RadixSelection(_pool).Quantile(first, values.Length, q);
    }

    private static float[] Draw(string distribution, int count)
    {
        var random = new CounterRandom(1, 2);
        var values = new float[count];
        for (int i = 0; i < count; i++)
        {
            float x = random.Uniform((ulong)i, -1, 1);
            values[i] = distribution switch
            {
                "uniform" => x,
                "squares" => x * x,
                "equal" => -3.25f,
                "seven values" => MathF.Round(3 * x),
                "all exponents" => MathF.ScaleB(x, i % 250 - 125),
                "neighbours" => BitConverter.Int32BitsToSingle(0x3F800000 + (int)random.Bits((ulong)i) % 5),
                "ascending" => i,
                _ => throw new ArgumentOutOfRangeException(nameof(distribution), distribution, "Not a distribution."),
            };
        }

        return values;
    }
}
