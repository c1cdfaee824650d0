namespace PtxSimulator;

/// <summary>A parameter's place in the parameter buffer, in bytes.</summary>
public readonly record struct PtxParameter(string Name, int Offset, int Size, int Alignment);

/// <summary>An entry of a module.</summary>
public sealed class PtxKernel
{
    internal PtxKernel(PtxModule module, string name) => (Module, Name) = (module, name);

    public PtxModule Module { get; }

    public string Name { get; }

    public IReadOnlyList<PtxParameter> Parameters { get; internal init; } = [];

    /// <summary>Bytes of the parameter buffer.</summary>
    public int ParameterBytes => Parameters.Count == 0 ? 0 : Parameters[^1].Offset + Parameters[^1].Size;

    /// <summary>Shared memory that the kernel declares itself, in bytes.</summary>
    public int StaticSharedBytes { get; internal init; }

    /// <summary>Local memory per thread, in bytes.</summary>
    public int LocalBytes { get; internal init; }

    /// <summary>Most threads of a block, from <c>.maxntid</c> or <c>.reqntid</c>; 1024 where neither is given.</summary>
    public int MaxThreadsPerBlock { get; internal init; } = 1024;
}
