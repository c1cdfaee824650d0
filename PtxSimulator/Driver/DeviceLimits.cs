namespace PtxSimulator.Driver;

/// <summary>What an architecture allows, from NVIDIA's table of compute capabilities.</summary>
/// <param name="SharedPerBlock">Most shared memory of a block that asks for it, in bytes.</param>
/// <param name="SharedPerMultiprocessor">In bytes.</param>
/// <param name="ReservedSharedPerBlock">What the system takes of each block, in bytes.</param>
/// <param name="SharedUnit">Shared memory is given in multiples of this, in bytes.</param>
internal sealed record DeviceLimits(
    int SharedPerBlock, int SharedPerMultiprocessor, int ReservedSharedPerBlock, int SharedUnit,
    int ThreadsPerMultiprocessor, int BlocksPerMultiprocessor)
{
    public const int ThreadsPerBlock = 1024, BlockX = 1024, BlockY = 1024, BlockZ = 64;
    public const int GridX = int.MaxValue, GridY = 65535, GridZ = 65535;
    public const int RegistersPerMultiprocessor = 65536, RegistersPerThread = 255, RegisterUnit = 256, WarpUnit = 4;
    public const int WarpSize = 32;

    /// <summary>Shared memory of a block that does not ask for more, in bytes.</summary>
    public const int DefaultSharedPerBlock = 48 << 10;

    /// <param name="computeCapability">Times ten.</param>
    public static DeviceLimits Of(int computeCapability) => computeCapability switch
    {
        < 80 => new(64 << 10, 64 << 10, 0, 256, 1024, 16),
        80 => new(163 << 10, 164 << 10, 1 << 10, 128, 2048, 32),
        86 => new(99 << 10, 100 << 10, 1 << 10, 128, 1536, 16),
        87 => new(163 << 10, 164 << 10, 1 << 10, 128, 1536, 16),
        89 => new(99 << 10, 100 << 10, 1 << 10, 128, 1536, 24),
        _ => new(227 << 10, 228 << 10, 1 << 10, 128, 2048, 32),
    };

    /// <summary>How many blocks fit on a multiprocessor at once.</summary>
    public int BlocksThatFit(int threads, int registers, int sharedBytes)
    {
        int warps = (threads + WarpSize - 1) / WarpSize;
        int byThreads = ThreadsPerMultiprocessor / (warps * WarpSize);
        int registersPerWarp = RoundUp(registers * WarpSize, RegisterUnit);
        int warpsByRegisters = RegistersPerMultiprocessor / Math.Max(registersPerWarp, 1) / WarpUnit * WarpUnit;
        int byRegisters = warpsByRegisters / warps;
        int shared = RoundUp(sharedBytes + ReservedSharedPerBlock, SharedUnit);
        int byShared = shared == 0 ? BlocksPerMultiprocessor : SharedPerMultiprocessor / shared;
        return Math.Min(Math.Min(byThreads, byRegisters), Math.Min(byShared, BlocksPerMultiprocessor));
    }

    private static int RoundUp(int value, int unit) => (value + unit - 1) / unit * unit;
}
