namespace PtxSimulator.Driver;

/// <summary>A pool of stream-ordered memory. Every allocation is fresh, so that reuse hides no error: only the settings
/// are kept.</summary>
internal sealed class MemoryPool(DriverDevice device)
{
    private const int FirstAttribute = 1, ReleaseThreshold = 4, UsedHigh = 8;

    private readonly ulong[] _values = new ulong[UsedHigh + 1];

    public DriverDevice Device => device;

    /// <summary>CUmemPool_attribute: 1 to 3 are int, the rest 64 bits wide.</summary>
    public ulong this[int attribute]
    {
        get => _values[Require(attribute)];
        set => _values[Require(attribute)] = value;
    }

    public static bool IsWide(int attribute) => attribute >= ReleaseThreshold;

    private static int Require(int attribute) => attribute is >= FirstAttribute and <= UsedHigh
        ? attribute
        : throw new DriverException(DriverError.InvalidValue, $"{attribute} is no attribute of memory pools.");
}
