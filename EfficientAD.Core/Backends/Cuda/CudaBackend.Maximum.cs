using EfficientAD.Native;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    public void Maximum(Tensor input, Tensor output)
    {
        Shape shape = input.Shape;
        RequireShape(new Shape(shape.N, 1, 1, 1), output);
        LaunchShape reduction = Reduction(shape.SampleCount, shape.N);
        int blocks = reduction.Grid.X;
        nint partial = _scratch.Reserve((long)shape.N * blocks * sizeof(float));
        Launch("maximum", "maximum_partial", reduction, input.Address, shape.N, shape.SampleCount, partial);
        Launch(
            "maximum", "maximum_forward", new LaunchShape(new Extent(shape.N), new Extent(ThreadsPerBlock)),
            partial, blocks, output.Address);
    }
}
