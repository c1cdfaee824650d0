namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>A layer of an inference plan, with its weights and places to read and write; cut into items that threads
/// share.</summary>
internal abstract unsafe class FusedLayer : IDisposable
{
    public abstract int Items { get; }

    /// <summary>Floats of scratch memory that an item needs.</summary>
    public abstract long Scratch { get; }

    public abstract void Run(int item, float* scratch);

    public abstract void Dispose();
}
