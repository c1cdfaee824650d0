using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Backends.Cpu;

/// <summary>Subnormal numbers, which made training and detection three times slower, do not arise.</summary>
public class NegligibleTests
{
    /// <summary>Of units that never fire L2 decay is the whole gradient.</summary>
    [Theory, InlineData(3), InlineData(16)]
    public void WeightsThatOnlyDecay_EndAtZeroInsteadOfSubnormal(int count)
    {
        using CpuBackend backend = CpuBackendTests.On(1);
        var shape = Shape.Vector(count);
        using Tensor gradient = backend.Allocate(shape), first = backend.Allocate(shape);
        using Tensor second = backend.Allocate(shape), weights = backend.Allocate(shape);
        foreach (Tensor zero in new[] { gradient, first, second }) backend.Fill(0, zero);
        backend.Fill(1e-3f, weights);
        bool wasSmall = false;
        for (int step = 1; step <= 2000; step++)
        {
            backend.Adam(gradient, new AdamSettings(1e-3f, 1e-5f), step, first, second, weights);
            foreach (float value in backend.Download(weights).Concat(backend.Download(first)))
            {
                Assert.False(float.IsSubnormal(value), $"{value} in step {step}");
                wasSmall |= value != 0 && Math.Abs(value) < 1e-12f;
            }
        }

        Assert.True(wasSmall);
        Assert.All(backend.Download(weights), weight => Assert.Equal(0, weight));
        Assert.All(backend.Download(first), moment => Assert.Equal(0, moment));
    }

    [Fact]
    public void SmallSecondMoments_AreKept()
    {
        using CpuBackend backend = CpuBackendTests.On(1);
        var shape = Shape.Vector(8);
        using Tensor gradient = backend.Allocate(shape), first = backend.Allocate(shape);
        using Tensor second = backend.Allocate(shape), weights = backend.Allocate(shape);
        backend.Fill(1e-9f, gradient);
        foreach (Tensor zero in new[] { first, second, weights }) backend.Fill(0, zero);
        backend.Adam(gradient, new AdamSettings(1e-3f, 0), 1, first, second, weights);
        Assert.All(backend.Download(second), moment => Assert.Equal(1e-21f, moment, 1e-25f));
        Assert.All(backend.Download(weights), weight => Assert.Equal(-1e-3f / 11, weight, 1e-9f));
    }

    /// <summary>Those of a model that PyTorch trained, for instance.</summary>
    [Fact]
    public void WeightsOfAFile_AreLoadedAsZeroWhereTheyAreNegligible()
    {
        using var folder = new TemporaryFolder();
        using CpuBackend backend = CpuBackendTests.On(1);
        using var written = new Autoencoder(backend, trainable: false);
        foreach (var parameter in written.Parameters) backend.Fill(0.5f, parameter.Value);
        Tensor weights = written.Parameters.First().Value;
        var values = new float[weights.Shape.Count];
        Array.Fill(values, 1e-12f);
        (values[0], values[1], values[^1]) = (1e-40f, -1e-20f, 1e-16f);
        backend.Upload(values, weights);
        var writer = new SafetensorsWriter();
        NetworkWeights.Add(writer, backend, "autoencoder.", written);
        using (FileStream stream = File.Create(Path.Combine(folder.Path, "m.safetensors"))) writer.Write(stream);

        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder.Path, "m.safetensors"));
        using var read = new Autoencoder(backend, trainable: false);
        NetworkWeights.Load(file, "autoencoder.", read.Parameters, backend);
        (values[0], values[1], values[^1]) = (0, 0, 0);
        Assert.Equal(values, backend.Download(read.Parameters.First().Value));

        string name = "autoencoder." + read.Parameters.First().Name;
        NetworkWeights.Load(file, name, read.Parameters.First().Value, backend);  // a checkpoint's, to the bit
        Assert.Equal(backend.Download(weights), backend.Download(read.Parameters.First().Value));
    }
}
