using EfficientAD.Native;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>The last layers' partial sums of the local map, its places weighed: part by part, since weighing is
/// linear.</summary>
internal sealed class WeighedSums : IDisposable
{
    private const int Threads = 128;

    private readonly CudaKernel _kernel;
    private readonly Shape _plane;
    private readonly DeviceBuffer _weights, _sums;

    /// <param name="networks">Have place weights, on any backend.</param>
    /// <param name="planes">Samples times parts, at most.</param>
    public WeighedSums(CudaStream stream, KernelLibrary kernels, DetectionNetworks networks, int planes)
    {
        (_kernel, _plane) = (kernels.Get("weigh_places", "weigh_places"), networks.PlaceWeights!.Shape);
        _weights = new DeviceBuffer(stream, _plane.Count * sizeof(float));
        _sums = new DeviceBuffer(stream, planes * _plane.Count * sizeof(float));
        stream.Upload<float>(networks.Backend.Download(networks.PlaceWeights), _weights.Address);
    }

    /// <summary>What the last launch wrote, laid out as it was given.</summary>
    public nint Address => _sums.Address;

    /// <param name="sums">[planes, h, w] float.</param>
    public void Launch(CudaStream stream, nint sums, int planes) => _kernel.Launch(
        stream,
        new LaunchShape(
            new Extent(ConvolutionProduct.CeilingOf(_plane.Plane, Threads), planes), new Extent(Threads)),
        sums, planes, _plane.H, _plane.W, _weights.Address, _sums.Address);

    public void Dispose()
    {
        _weights.Dispose();
        _sums.Dispose();
    }
}
