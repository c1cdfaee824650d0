using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>More planes or samples than a grid has rows: the kernels stride over them.</summary>
public class CudaPlanesTests
{
    private const int Planes = 65_535 + 7;

    private static readonly SimulatedGpu Gpu = new();

    private static readonly Shape Tall = new(1, Planes, 1, 1), Batch = new(Planes, 1, 1, 1);

    public delegate void Primitive(IBackend backend, Tensor source, Tensor destination);

    public static TheoryData<string> Primitives => new(Calls.Keys);

    private static Dictionary<string, (Shape Source, Shape Destination, Primitive Run)> Calls { get; } = new()
    {
        ["average pool"] = (Tall, Tall, (on, s, d) => on.AveragePool2d(s, 1, d)),
        ["average pool backward"] = (Tall, Tall, (on, s, d) => on.AveragePool2dBackward(s, 1, d)),
        ["resize"] = (Tall, Tall with { W = 2 }, (on, s, d) => on.ResizeBilinear(s, d)),
        ["resize backward"] = (Tall with { W = 2 }, Tall, (on, s, d) => on.ResizeBilinearBackward(s, d)),
        ["pad"] = (Tall, Tall with { H = 3, W = 3 }, (on, s, d) => on.Pad(s, 1, 7, d)),
        ["normalise"] = (Tall, Tall, (on, s, d) =>
        {
            using Tensor zeros = on.Allocate(Tall);
            on.NormalizeChannels(s, zeros, s, d);
        }
        ),
        ["squared difference"] = (Batch, Batch, (on, s, d) =>
        {
            using Tensor zeros = on.Allocate(Batch);
            on.SquaredDifferenceMap(s, zeros, d);
        }
        ),
        ["maximum"] = (Batch, Batch, (on, s, d) => on.Maximum(s, d)),
    };

    [Theory, MemberData(nameof(Primitives))]
    public void PlanesBeyondTheGrid_AreComputedToo(string primitive)
    {
        using CudaBackend cuda = Gpu.Open();
        using var cpu = new CpuBackend(new CpuOptions { Threads = 1 });
        TensorAssert.Close(
            Run(cpu, primitive), Run(cuda, primitive), 0, 1e-6, because: "a few float operations on small numbers");
    }

    private static float[] Run(IBackend backend, string primitive)
    {
        (Shape from, Shape to, Primitive run) = Calls[primitive];
        using Tensor source = backend.Allocate(from), destination = backend.Allocate(to);
        var values = new float[from.Count];
        for (int i = 0; i < values.Length; i++) values[i] = 1 + i % 1000 * 0.5f;
        backend.Upload(values, source);
        run(backend, source, destination);
        var results = new float[to.Count];
        backend.Download(destination, results);
        Assert.NotEqual(0, results[^1]);
        return results;
    }
}
