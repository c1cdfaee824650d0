namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>A layer of an inference plan, with its weights and places to read and write; cut into items that threads
/// share.</summary>
internal abstract unsafe class FusedLayer : IDisposable
{
    /// <summary>For measurements: the form, channels.</summary>
    public abstract string Name { get; }

    /// <summary>Multiply-adds between inputs and weights that a run executes, with those of unused places.</summary>
    public virtual double Products => 0;

    /// <summary>At least 1.</summary>
    public abstract int Items { get; }

    /// <summary>Floats of scratch memory that an item needs.</summary>
    public abstract long Scratch { get; }

    public abstract void Run(int item, float* scratch);

    public virtual void Dispose() { }
}
