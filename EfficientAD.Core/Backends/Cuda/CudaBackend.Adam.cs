using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    public void Adam(
        Tensor gradient, AdamSettings settings, int step, Tensor firstMoment, Tensor secondMoment, Tensor parameter)
    {
        RequireAdam(gradient, step, firstMoment, secondMoment, parameter);
        var c = new AdamCoefficients(settings, step);
        Launch(
            "adam", "adam", Threads(parameter.Shape.Count), gradient.Address,
            c.WeightDecay, c.Beta1, c.Rest1, c.Beta2, c.Rest2, c.Correction2, c.StepSize, AdamSettings.Epsilon,
            firstMoment.Address, secondMoment.Address, parameter.Address, parameter.Shape.Count);
        MarkWritten(parameter);
    }
}
