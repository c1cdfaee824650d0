namespace PtxSimulator.Counting;

/// <summary>Kinds of instructions, as a profiler groups them.</summary>
public enum InstructionClass
{
    Float32,
    Half,
    Float64,
    Integer,
    Logic,
    Compare,
    Move,
    Conversion,
    Special,
    Mma,
    GlobalMemory,
    SharedMemory,
    LocalMemory,
    ConstantMemory,
    Atomic,
    AsynchronousCopy,
    Warp,
    Barrier,
    Control,
}

/// <summary>How often an instruction ran.</summary>
/// <param name="Warps">Executions by a warp with at least one lane.</param>
/// <param name="Threads">The same, by thread.</param>
public readonly record struct InstructionCount(
    CodeLocation Location, string Text, InstructionClass Class, long Warps, long Threads)
{
    /// <summary>Memory instructions: bytes that the threads asked for.</summary>
    public long BytesAsked { get; init; }

    /// <summary>Global memory: 32-byte sectors that the warps asked for.</summary>
    public long Sectors { get; init; }

    /// <summary>Shared memory: passes over the 32 banks that were needed.</summary>
    public long BankCycles { get; init; }

    /// <summary>The same, had no two addresses met in a bank.</summary>
    public long IdealBankCycles { get; init; }
}

/// <summary>Traffic between a kernel and global memory, as it leaves the load and store unit (caches not modelled).
/// </summary>
/// <param name="Instructions">Warp instructions.</param>
/// <param name="BytesAsked">Bytes that the threads asked for.</param>
/// <param name="Sectors">32-byte sectors that the warps asked for, each once per instruction.</param>
/// <param name="DistinctSectors">Different sectors touched in the whole launch: the least that must move.</param>
public readonly record struct GlobalTraffic(long Instructions, long BytesAsked, long Sectors, long DistinctSectors)
{
    public static GlobalTraffic operator +(GlobalTraffic a, GlobalTraffic b) => new(
        a.Instructions + b.Instructions, a.BytesAsked + b.BytesAsked, a.Sectors + b.Sectors,
        a.DistinctSectors + b.DistinctSectors);
}

/// <summary>Traffic with shared memory.</summary>
/// <param name="Cycles">Passes over the 32 banks that were needed.</param>
/// <param name="IdealCycles">The same, had no two addresses met in a bank.</param>
public readonly record struct SharedTraffic(long Instructions, long BytesAsked, long Cycles, long IdealCycles)
{
    public static SharedTraffic operator +(SharedTraffic a, SharedTraffic b) => new(
        a.Instructions + b.Instructions, a.BytesAsked + b.BytesAsked, a.Cycles + b.Cycles,
        a.IdealCycles + b.IdealCycles);
}

/// <summary>What one launch did. Counted by the simulator, not measured on a GPU.</summary>
public sealed record LaunchReport
{
    public required string Kernel { get; init; }

    /// <summary>In blocks.</summary>
    public required Extent Grid { get; init; }

    /// <summary>In threads.</summary>
    public required Extent Block { get; init; }

    /// <summary>Shared memory per block, static and dynamic, in bytes.</summary>
    public required int SharedBytes { get; init; }

    /// <summary>In the order of the PTX, those that never ran included; empty without counters.</summary>
    public IReadOnlyList<InstructionCount> Instructions { get; init; } = [];

    public GlobalTraffic GlobalLoads { get; init; }

    public GlobalTraffic GlobalStores { get; init; }

    public SharedTraffic SharedLoads { get; init; }

    public SharedTraffic SharedStores { get; init; }

    /// <summary>Multiply-adds by tensor-core instructions.</summary>
    public long MmaMultiplyAdds { get; init; }

    /// <summary>Multiply-adds by fma instructions of float32, half and double.</summary>
    public long FmaMultiplyAdds { get; init; }

    /// <summary>Barriers that blocks passed.</summary>
    public long Barriers { get; init; }

    /// <summary>Executions by warps, of all instructions; 0 without counters.</summary>
    public long WarpInstructions => Instructions.Sum(instruction => instruction.Warps);

    /// <summary>Executions by warps, of one class.</summary>
    public long CountOf(InstructionClass kind) =>
        Instructions.Sum(instruction => instruction.Class == kind ? instruction.Warps : 0);
}
