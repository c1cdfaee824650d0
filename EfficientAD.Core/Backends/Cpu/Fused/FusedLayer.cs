namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>A layer of an inference plan, with its weights and places to read and write; cut into items that threads
/// share.</summary>
internal abstract unsafe class FusedLayer : IDisposable
{
    /// <summary>For measurements: the form, channels.</summary>
    public abstract string Name { get; }

    /// <summary>Multiply-adds between inputs and weights that a run executes, with those of unused places.</summary>
    public virtual double Products => 0;

    /// <summary>May be none.</summary>
    public abstract int Items { get; }

    /// <summary>Floats of scratch memory that an item needs, whatever <see cref="Take"/> says.</summary>
    public abstract long Scratch { get; }

    /// <summary>How many images of its batch the next runs are about; all at first.</summary>
    public abstract void Take(int samples);

    public abstract void Run(int item, float* scratch);

    public virtual void Dispose() { }
}
