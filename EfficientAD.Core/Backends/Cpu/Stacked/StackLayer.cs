namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>A layer of a stack with its places to read and write.</summary>
internal abstract class StackLayer : IDisposable
{
    public abstract void Forward();

    public abstract void WeightGradient();

    public abstract void InputGradient();

    public abstract void Dispose();

    /// <summary>Adds sums per channel to a bias gradient and clears them.</summary>
    protected static unsafe void AddBias(double[] sums, Tensors.Tensor biasGradient)
    {
        float* gradient = (float*)biasGradient.Address;
        for (int channel = 0; channel < biasGradient.Shape.C; channel++) gradient[channel] += (float)sums[channel];
        Array.Clear(sums);
    }
}
