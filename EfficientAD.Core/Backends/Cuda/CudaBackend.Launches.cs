using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    private const int Warp = 32, ThreadsPerBlock = 256, MaximumGridY = 65535;

    /// <summary>About as many values as one thread of a reduction adds up, and the most blocks one has: constants, so
    /// that the order of a sum depends on its length alone.</summary>
    private const int ValuesPerThread = 16, MaximumReductionBlocks = 1024;

    private void Launch(string file, string kernel, LaunchShape shape, params ReadOnlySpan<KernelArgument> arguments) =>
        _kernels.Get(file, kernel).Launch(_stream, shape, arguments);

    /// <summary>One thread for each of <paramref name="count"/> units.</summary>
    private static LaunchShape Threads(long count) =>
        new(new Extent(BlocksFor(count, ThreadsPerBlock)), new Extent(ThreadsPerBlock));

    /// <summary>One thread for each pixel of a plane; kernels stride over the planes along y.</summary>
    private static LaunchShape Pixels(Shape shape)
    {
        int threads = Math.Min(ThreadsPerBlock, BlocksFor(shape.Plane, Warp) * Warp);
        return new LaunchShape(
            new Extent(BlocksFor(shape.Plane, threads), Math.Min(Planes(shape), MaximumGridY)), new Extent(threads));
    }

    /// <summary>Blocks that each reduce a share of <paramref name="values"/>; kernels stride over the samples along
    /// y.</summary>
    private static LaunchShape Reduction(long values, int samples = 1) =>
        new(new Extent(ReductionBlocks(values), Math.Min(samples, MaximumGridY)), new Extent(ThreadsPerBlock));

    private static int ReductionBlocks(long values) =>
        (int)Math.Clamp(values / (ThreadsPerBlock * ValuesPerThread), 1, MaximumReductionBlocks);

    private static int BlocksFor(long count, int each) => checked((int)((count + each - 1) / each));

    private static int Planes(Shape shape) => checked(shape.N * shape.C);
}
