using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>The radix select beyond what every backend is tested for: millions of values, all kinds of
/// floats.</summary>
public class CudaQuantileTests
{
    private static readonly SimulatedGpu Gpu = new();

    [Fact]
    public void Millions_GiveTheBitsOfTheCpu()
    {
        var shape = new Shape(1, 1, 1021, 2053);
        var random = new CounterRandom(4, 0);
        var values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++) values[i] = MathF.Pow(random.Uniform((ulong)i), 4) * 3;
        CheckAgainstCpu(shape, values, 0.999f);
    }

    [Theory, InlineData(0f), InlineData(0.1f), InlineData(0.5f), InlineData(0.77f), InlineData(1f)]
    public void AnyBits_GiveTheBitsOfTheCpu(float q)
    {
        // Denormals, infinities, both zeros, neighbours that differ in the last place; NaN of either sign elsewhere.
        var shape = new Shape(3, 1, 1, 4001);
        var values = new float[shape.Count];
        for (int i = 0; i < values.Length; i++)
        {
            float value = BitConverter.UInt32BitsToSingle(new CounterRandom(9, (ulong)(i / 4001)).Bits((ulong)i));
            values[i] = float.IsNaN(value) ? 0 : value;
        }

        values.AsSpan(4001, 4000).Fill(BitConverter.UInt32BitsToSingle(0x3F800001));
        values[^1] = BitConverter.UInt32BitsToSingle(0xFFC00001);
        CheckAgainstCpu(shape, values, q);
    }

    [Fact]
    public void MoreValuesThanItsCountersHold_AreRefused()
    {
        using CudaBackend cuda = Gpu.Open();
        using Tensor output = cuda.Allocate(new Shape(1, 1, 1, 1));
        var values = new Tensor(new Shape(1, 65536, 256, 257), output.Address, output);  // nothing must read it
        ArgumentException e = Assert.Throws<ArgumentException>(() => cuda.Quantile(values, 0.5f, output));
        Assert.Contains("4311744512", e.Message);
    }

    private static void CheckAgainstCpu(Shape shape, float[] values, float q)
    {
        using CudaBackend cuda = Gpu.Open();
        using var cpu = new CpuBackend(new CpuOptions { Threads = 1 });
        float[][] results = [.. new EfficientAD.Backends.IBackend[] { cpu, cuda }.Select(backend =>
        {
            using Tensor input = backend.Allocate(shape), output = backend.Allocate(new Shape(shape.N, 1, 1, 1));
            backend.Upload(values, input);
            backend.Quantile(input, q, output);
            var quantiles = new float[shape.N];
            backend.Download(output, quantiles);
            return quantiles;
        })];
        for (int n = 0; n < shape.N; n++)
        {
            if (float.IsNaN(results[0][n])) Assert.True(float.IsNaN(results[1][n]));
            else TensorAssert.SameBits(results[0].AsSpan(n, 1), results[1].AsSpan(n, 1), $"the quantile of sample {n}");
        }
    }
}
