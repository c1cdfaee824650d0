using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    public void ReluBackward(Tensor output, Tensor outputGradient)
    {
        RequireSameShape(output, outputGradient);
        long count = output.Shape.Count;
        Launch("relu_backward", "relu_backward", Threads(count), output.Address, outputGradient.Address, count);
    }
}
