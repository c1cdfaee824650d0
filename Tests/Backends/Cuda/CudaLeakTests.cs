using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Tensors;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.Backends.Cuda;

public class CudaLeakTests
{
    /// <summary>Streams, modules, graphs, scratch memory, and weights that were packed whole and in part.</summary>
    [Fact]
    public void DisposedBackend_LeavesNothingOnTheDevice()
    {
        var gpu = new SimulatedGpu();
        using (CudaBackend backend = gpu.Open())
        {
            using Tensor input = backend.Allocate(new Shape(1, 4, 6, 6));
            using Tensor weights = backend.Allocate(new Shape(8, 4, 3, 3));
            using Tensor output = backend.Allocate(new Shape(1, 8, 4, 4));
            using Tensor half = backend.Allocate(new Shape(1, 4, 4, 4));
            using Tensor maximum = backend.Allocate(new Shape(1, 1, 1, 1));
            Tensor rows = weights.Samples(4, 4);
            var geometry = new Convolution2dGeometry(1, 0);
            using Recording recording = backend.Record(() =>
            {
                backend.Convolution2d(input, weights, null, geometry, relu: false, output);
                backend.Convolution2d(input, rows, null, geometry, relu: true, half);
                backend.Maximum(half, maximum);
            });
            for (int i = 0; i < 3; i++) recording.Replay();
            backend.Download(maximum, new float[1]);
            Assert.NotEmpty(SimulatedDriver.Holdings(gpu.Ordinal));
        }

        Assert.Empty(SimulatedDriver.Holdings(gpu.Ordinal));
        Assert.Empty(SimulatedDriver.Leaks(gpu.Ordinal));
    }
}
