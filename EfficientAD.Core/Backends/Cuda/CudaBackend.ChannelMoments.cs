using EfficientAD.Native;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    /// <remarks>Waits for the device.</remarks>
    public void ChannelMoments(Tensor input, Span<double> mean, Span<double> squaredDeviations)
    {
        Shape shape = input.Shape;
        RequireRoomForMoments(shape, mean.Length, squaredDeviations.Length);
        nint means = _scratch.Reserve(2L * shape.C * sizeof(double));
        nint squares = means + shape.C * sizeof(double);
        Launch(
            "channel_moments", "channel_moments", new LaunchShape(new Extent(shape.C), new Extent(ThreadsPerBlock)),
            input.Address, shape.N, shape.C, shape.Plane, means, squares);
        _stream.Download(means, mean);
        _stream.Download(squares, squaredDeviations);
    }
}
