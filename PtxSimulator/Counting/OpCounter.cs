namespace PtxSimulator.Counting;

/// <summary>What one instruction did in one launch.</summary>
internal struct OpCounter
{
    public long Warps;
    public long Threads;

    /// <summary>Bytes that the threads asked for, by space: cp.async asks for both.</summary>
    public long GlobalBytes, SharedBytes, LocalBytes;

    /// <summary>Of global memory.</summary>
    public long Sectors;

    /// <summary>Passes over the banks of shared memory, and how many there were without conflicts.</summary>
    public long Cycles, IdealCycles;
}
