using EfficientAD.Native;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    public void MeanSquaredError(Tensor a, Tensor? b, Tensor loss)
    {
        if (b is not null) RequireSameShape(a, b);
        RequireShape(ScalarShape, loss);
        long count = a.Shape.Count;
        LaunchShape reduction = Reduction(count);
        int blocks = reduction.Grid.X;
        nint partial = _scratch.Reserve((long)blocks * sizeof(double));
        Launch("mean_squared_error", "mean_squared_error_partial", reduction, a.Address, AddressOf(b), count, partial);
        Launch("mean_squared_error", "mean_squared_error_forward", Reduction(1), partial, blocks, count, loss.Address);
    }

    public void MeanSquaredErrorBackward(Tensor a, Tensor? b, Tensor lossGradient, Tensor? aGradient, Tensor? bGradient)
    {
        RequireSquaredErrorGradients(a, b, lossGradient, aGradient, bGradient);
        long count = a.Shape.Count;
        Launch(
            "mean_squared_error", "mean_squared_error_backward", Threads(count),
            a.Address, AddressOf(b), lossGradient.Address, (float)(2.0 / count), AddressOf(aGradient),
            AddressOf(bGradient), count);
    }

    /// <summary>The kernels' null for what is absent.</summary>
    private static nint AddressOf(Tensor? tensor) => tensor?.Address ?? 0;
}
