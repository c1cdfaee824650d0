using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Benchmarks;

/// <summary>Teacher, student and autoencoder with their first, random weights.</summary>
internal sealed class RandomNetworks : IDisposable
{
    public RandomNetworks(PdnSize size, int threads, bool trainable)
        : this(size, new CpuBackend(new CpuOptions { Threads = threads }), trainable)
    {
    }

    /// <param name="backend">Disposed with the networks.</param>
    public RandomNetworks(PdnSize size, IBackend backend, bool trainable)
    {
        Backend = backend;
        Teacher = new PatchDescriptionNetwork(Backend, size, PatchDescriptionNetwork.TeacherChannels, padded: false, trainable: false);
        Student = new PatchDescriptionNetwork(Backend, size, 2 * PatchDescriptionNetwork.TeacherChannels, padded: false, trainable);
        Autoencoder = new Autoencoder(Backend, trainable);
        Teacher.Initialize(new CounterRandom(1, 0));
        Student.Initialize(new CounterRandom(2, 0));
        Autoencoder.Initialize(new CounterRandom(3, 0));
        Mean = Backend.Allocate(Shape.Vector(PatchDescriptionNetwork.TeacherChannels));
        Deviation = Backend.Allocate(Mean.Shape);
        Backend.Fill(1, Deviation);
    }

    public IBackend Backend { get; }

    public PatchDescriptionNetwork Teacher { get; }

    public PatchDescriptionNetwork Student { get; }

    public Autoencoder Autoencoder { get; }

    public Tensor Mean { get; }

    public Tensor Deviation { get; }

    public void Dispose()
    {
        foreach (IDisposable part in new IDisposable[] { Teacher, Student, Autoencoder, Mean, Deviation, Backend }) part.Dispose();
    }
}
