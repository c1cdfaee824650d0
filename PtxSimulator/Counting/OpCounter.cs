namespace PtxSimulator.Counting;

/// <summary>What one instruction did in one launch.</summary>
internal struct OpCounter
{
    public long Warps;
    public long Threads;

    /// <summary>Memory instructions: bytes that the threads asked for.</summary>
    public long Bytes;

    /// <summary>Global memory: sectors. Shared memory: passes over the banks.</summary>
    public long Units;

    /// <summary>Shared memory: passes without any conflict.</summary>
    public long IdealUnits;
}
