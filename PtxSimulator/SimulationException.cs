using System.Text;

namespace PtxSimulator;

/// <summary>What a kernel did wrong.</summary>
public enum FaultKind
{
    OutOfBounds,
    UseAfterFree,
    Misaligned,
    UninitializedRead,
    SharedMemoryRace,
    CopyInFlight,

    /// <summary>The asynchronous proxy would not see what a thread wrote: fence.proxy.async is missing.</summary>
    ProxyFence,

    /// <summary>A register that wgmma still reads or writes, or that no wgmma.fence orders before it.</summary>
    RegisterInFlight,

    /// <summary>A misused mbarrier.</summary>
    InvalidBarrier,

    /// <summary>A descriptor, tensor map or size that an instruction does not take.</summary>
    InvalidOperand,
    BarrierDivergence,
    WarpDivergence,
    Deadlock,
    Endless,
    Trap,
    InvalidLaunch,
}

/// <summary>Where in a kernel: lines of the PTX (from 1) and, if it carries <c>.loc</c>, of the source.</summary>
public readonly record struct CodeLocation(string Kernel, int PtxLine, string? SourceFile, int SourceLine)
{
    public override string ToString() =>
        SourceFile is null ? $"{Kernel}, PTX line {PtxLine}"
            : $"{Kernel}, {SourceFile}({SourceLine}), PTX line {PtxLine}";
}

/// <summary>A fault of a kernel, found while it ran.</summary>
public sealed class SimulationException(FaultKind kind, string what) : Exception(what)
{
    public FaultKind Kind => kind;

    /// <summary>The instruction at fault; null if the launch itself was refused.</summary>
    public CodeLocation? Location { get; init; }

    /// <summary>Text of the instruction.</summary>
    public string? Instruction { get; init; }

    /// <summary>Index of the block at fault, from 0; null if the launch itself was refused.</summary>
    public Extent? Block { get; init; }

    /// <summary>Index of the thread at fault within its block, from 0; null where no one thread is.</summary>
    public Extent? Thread { get; init; }

    /// <summary>The address at fault, in the space that the instruction names.</summary>
    public ulong? Address { get; init; }

    /// <summary>Label of the allocation that the address belongs to or lies next to.</summary>
    public string? Allocation { get; init; }

    public override string Message
    {
        get
        {
            var text = new StringBuilder(base.Message);
            if (Location is { } location) text.Append($"\n  at {location}: {Instruction}");
            if (Block is { } block) text.Append($"\n  block {block}");
            if (Thread is { } thread) text.Append($", thread {thread}");
            if (Allocation is { } allocation) text.Append($"\n  {allocation}");
            return text.ToString();
        }
    }
}

/// <summary>PTX that the simulator cannot load: a syntax error or an instruction that it does not know.</summary>
public sealed class PtxFormatException(string module, int line, string what)
    : Exception($"{module}({line}): {what}")
{
    /// <summary>Line of the PTX, from 1.</summary>
    public int Line => line;
}
