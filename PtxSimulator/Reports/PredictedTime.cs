namespace PtxSimulator.Reports;

/// <summary>What a launch is bound by.</summary>
public enum Resource
{
    /// <summary>Multiply-adds by mma.</summary>
    Tensor,

    /// <summary>Multiply-adds by fma.</summary>
    Float32,

    /// <summary>One instruction per scheduler and cycle.</summary>
    Issue,

    /// <summary>One pass over the banks per multiprocessor and cycle.</summary>
    SharedMemory,

    /// <summary>Sectors between multiprocessors and the L2 cache.</summary>
    Cache,

    /// <summary>Compulsory sectors between L2 cache and memory.</summary>
    Memory,

    /// <summary>None of them: starting the kernel takes longest.</summary>
    Launch,
}

/// <summary>How long a launch would take if nothing but its busiest resource counted: a roofline, computed from
/// counters of the simulator and a card's datasheet. No GPU has confirmed it.</summary>
/// <param name="Microseconds">With the time to start the kernel.</param>
public readonly record struct PredictedTime(double Microseconds, Resource Bound)
{
    /// <summary>Starting a kernel of a graph. Assumed, not from a datasheet.</summary>
    public const double LaunchMicroseconds = 2;

    private const int SchedulersPerMultiprocessor = 4, SectorBytes = 32;

    /// <summary>Width of a multiprocessor's port to the L2 cache in bytes per cycle. Assumed, not from a
    /// datasheet.</summary>
    private const int CachePortBytes = 64;

    /// <summary>Of a launch that has the card to itself, with blocks spread evenly.</summary>
    public static PredictedTime Of(LaunchSummary launch, Card card)
    {
        // Blocks are spread evenly; the multiprocessor that gets most of them finishes last.
        double blocks = launch.Grid.Count;
        double imbalance = Math.Ceiling(blocks / card.Multiprocessors) * card.Multiprocessors / blocks;
        double cycles = card.Multiprocessors * card.ClockGigahertz * 1e3; // per microsecond, all multiprocessors
        long sectors = launch.GlobalLoads.Sectors + launch.GlobalStores.Sectors;
        long compulsory = launch.GlobalLoads.DistinctSectors + launch.GlobalStores.DistinctSectors;
        // TF32 runs at half the rate of halves and counts twice, bytes at twice the rate.
        double mma = launch.MmaMultiplyAdds + launch.Tf32MultiplyAdds - 0.5 * launch.ByteMultiplyAdds;
        (Resource Resource, double Microseconds)[] times =
        [
            (Resource.Tensor, imbalance * 2 * mma / (card.TensorTeraflops * 1e6)),
            (Resource.Float32, imbalance * 2 * launch.FmaMultiplyAdds / (card.Float32Teraflops * 1e6)),
            (Resource.Issue, imbalance * launch.WarpInstructions / (cycles * SchedulersPerMultiprocessor)),
            (Resource.SharedMemory, imbalance * (launch.SharedLoads.Cycles + launch.SharedStores.Cycles) / cycles),
            (Resource.Cache, imbalance * sectors * SectorBytes / (cycles * CachePortBytes)),
            (Resource.Memory, compulsory * SectorBytes / (card.MemoryGigabytesPerSecond * 1e3)),
        ];
        (Resource bound, double longest) = times.MaxBy(time => time.Microseconds);
        return new PredictedTime(longest + LaunchMicroseconds, longest < LaunchMicroseconds ? Resource.Launch : bound);
    }
}
