using PtxSimulator.Parsing;

namespace PtxSimulator;

/// <summary>A parameter's place in the parameter buffer, in bytes.</summary>
public readonly record struct PtxParameter(string Name, int Offset, int Size, int Alignment);

/// <summary>An entry of a module.</summary>
public sealed class PtxKernel
{
    internal PtxKernel(PtxModule module, KernelSyntax syntax)
    {
        (Module, Syntax) = (module, syntax);
        Parameters = [.. syntax.Parameters.Select(parameter =>
            new PtxParameter(parameter.Name, parameter.Offset, parameter.Bytes, parameter.Alignment))];
    }

    public PtxModule Module { get; }

    public string Name => Syntax.Name;

    internal KernelSyntax Syntax { get; }

    /// <summary>In the order of their declaration.</summary>
    public IReadOnlyList<PtxParameter> Parameters { get; }

    /// <summary>Bytes of the parameter buffer.</summary>
    public int ParameterBytes => Parameters.Count == 0 ? 0 : Parameters[^1].Offset + Parameters[^1].Size;

    /// <summary>Shared memory that the kernel declares itself, in bytes.</summary>
    public int StaticSharedBytes => Syntax.SharedBytes;

    /// <summary>Local memory per thread, in bytes.</summary>
    public int LocalBytes => Syntax.LocalBytes;

    /// <summary>Most threads of a block, from <c>.maxntid</c> or <c>.reqntid</c>; 1024 where neither is
    /// given.</summary>
    public int MaxThreadsPerBlock => Syntax.MaxThreads;
}
