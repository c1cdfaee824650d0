using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    private const int DrawsPerThread = 4;

    public void Dropout(Tensor input, float rate, CounterRandom random, Tensor output)
    {
        RequireSameShape(input, output);
        int dropLimit = RequireRate(rate);
        long count = input.Shape.Count;
        Launch(
            "dropout", "dropout_forward", Threads(BlocksFor(count, DrawsPerThread)),
            input.Address, dropLimit, 1 - rate, random.Seed, random.Stream, StepValues, output.Address,
            count);
    }

    public void DropoutBackward(Tensor outputGradient, float rate, CounterRandom random, Tensor inputGradient)
    {
        RequireSameShape(outputGradient, inputGradient);
        int dropLimit = RequireRate(rate);
        long count = outputGradient.Shape.Count;
        Launch(
            "dropout", "dropout_backward", Threads(BlocksFor(count, DrawsPerThread)),
            outputGradient.Address, dropLimit, 1 - rate, random.Seed, random.Stream, StepValues,
            inputGradient.Address, count);
    }
}
