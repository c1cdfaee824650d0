using PtxSimulator.Reports;

namespace PtxSimulator;

/// <summary>What the simulator watches while a kernel runs. Without any, only the device's memory as a whole is
/// guarded, so that a wild address faults instead of harming the process.</summary>
[Flags]
public enum Checks
{
    None = 0,

    /// <summary>Every access lies within one live allocation (or the block's shared, the thread's local
    /// memory).</summary>
    Bounds = 1,

    /// <summary>Every byte read was written before.</summary>
    Uninitialized = 2,

    /// <summary>Shared memory: no two threads conflict between barriers, nothing touches cp.async data in flight.
    /// </summary>
    Races = 4,

    /// <summary>Every barrier is reached by all threads of the block, every shuffle reads a participating
    /// lane.</summary>
    Barriers = 8,

    All = Bounds | Uninitialized | Races | Barriers,
}

/// <summary>How a simulated device behaves.</summary>
public sealed record SimulatedDeviceOptions
{
    /// <summary>Compute capability times ten: 75, 80, 86, 89 or 90.</summary>
    public int ComputeCapability { get; init; } = 86;

    /// <summary>Number of multiprocessors that programs are told; grids may depend on it, results of kernels do not.
    /// </summary>
    public int Multiprocessors { get; init; } = 84;

    /// <summary>What ptxas found kernels to need, by name: registers, for occupancy. Results do not depend on it.
    /// </summary>
    public KernelResourceTable Resources { get; init; } = KernelResourceTable.Empty;

    /// <summary>What is watched; each costs time.</summary>
    public Checks Checks { get; init; } = Checks.All;

    /// <summary>Whether launches count instructions, memory sectors and bank conflicts.</summary>
    public bool Counters { get; init; } = true;

    /// <summary>Seed of the order of blocks and warps and of the moments at which cp.async data lands. 0: blocks and
    /// warps in order, every copy lands at once.</summary>
    public int Seed { get; init; }

    /// <summary>Size of the device's memory in bytes. Address space is reserved, pages are taken when
    /// touched.</summary>
    public long MemoryBytes { get; init; } = 2L << 30;

    /// <summary>Threads of the host that run blocks. Kernels with atomics on global memory use one, so that results
    /// do not depend on this.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Backward branches a warp may take within one launch before it is called endless.</summary>
    public long BranchLimit { get; init; } = 100_000_000;
}
