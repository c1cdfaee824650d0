namespace PtxSimulator.Driver;

/// <summary>CUdevice_attribute: the limits of the architecture; clocks and widths of no card in particular.</summary>
internal static class DeviceAttributes
{
    private const int ClockKilohertz = 1_500_000, MemoryClockKilohertz = 5_000_000, BusBits = 256, CacheBytes = 4 << 20;

    /// <returns>Null for an attribute that is not simulated.</returns>
    public static int? Of(DriverDevice device, int attribute) => attribute switch
    {
        1 => DeviceLimits.ThreadsPerBlock,
        2 => DeviceLimits.BlockX,
        3 => DeviceLimits.BlockY,
        4 => DeviceLimits.BlockZ,
        5 => DeviceLimits.GridX,
        6 => DeviceLimits.GridY,
        7 => DeviceLimits.GridZ,
        8 => DeviceLimits.DefaultSharedPerBlock,
        9 => 64 << 10, // constant memory
        10 => DeviceLimits.WarpSize,
        12 => DeviceLimits.RegistersPerMultiprocessor, // per block
        13 => ClockKilohertz,
        15 => 0, // overlap of copies and kernels
        16 => device.Options.Multiprocessors,
        17 => 0, // time limit of kernels
        18 => 0, // integrated
        19 => 1, // maps host memory
        20 => 0, // compute mode: default
        31 => 1, // concurrent kernels
        32 => 0, // error correction
        33 => device.Ordinal, // PCI bus
        34 or 50 => 0, // PCI device and domain
        35 => 0, // TCC
        36 => MemoryClockKilohertz,
        37 => BusBits,
        38 => CacheBytes,
        39 => device.Limits.ThreadsPerMultiprocessor,
        40 => 2, // copy engines
        41 => 1, // unified addressing
        75 => device.Options.ComputeCapability / 10,
        76 => device.Options.ComputeCapability % 10,
        78 => 1, // stream priorities
        81 => device.Limits.SharedPerMultiprocessor,
        82 => DeviceLimits.RegistersPerMultiprocessor,
        83 => 0, // managed memory
        95 => 0, // cooperative launch
        97 => device.Limits.SharedPerBlock,
        106 => device.Limits.BlocksPerMultiprocessor,
        108 => 0, // persisting cache
        111 => device.Limits.ReservedSharedPerBlock,
        115 => 1, // memory pools
        127 => device.Options.ComputeCapability >= 90 ? 1 : 0, // tensor maps
        _ => null,
    };
}
