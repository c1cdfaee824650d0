using PtxSimulator.Counting;
using PtxSimulator.Memory;

namespace PtxSimulator.Execution;

/// <summary>What all blocks of a launch share.</summary>
internal sealed unsafe class Launch
{
    public required KernelProgram Program { get; init; }
    public required SimulatedDeviceOptions Options { get; init; }
    public required DeviceMemory Memory { get; init; }
    public required Extent Grid { get; init; }
    public required Extent Block { get; init; }

    /// <summary>Static and dynamic.</summary>
    public required int SharedBytes { get; init; }

    public required byte[] Parameters { get; init; }

    public string Kernel => Program.Kernel.Name;

    /// <summary>States of a byte that a read or write demands.</summary>
    public ByteState ReadDemands =>
        (Options.Checks.HasFlag(Checks.Bounds) ? ByteState.Allocated : 0) |
        (Options.Checks.HasFlag(Checks.Uninitialized) ? ByteState.Allocated | ByteState.Written : 0);

    public ByteState WriteDemands => Options.Checks.HasFlag(Checks.Bounds) ? ByteState.Allocated : 0;

    public bool ChecksBounds => Options.Checks.HasFlag(Checks.Bounds);

    /// <summary>Runs all blocks and reports what the workers counted.</summary>
    public LaunchReport Run()
    {
        var count = Grid.Count;
        var workers = Program.OrdersBlocks ? 1 : (int)Math.Min(Math.Max(1, Options.Workers), count);
        var order = Schedule.Blocks(count, Options.Seed);
        var runners = new BlockRunner[workers];
        for (var i = 0; i < workers; i++) runners[i] = new BlockRunner(this);

        // Of several faults the one that comes first in the order is reported, whichever worker found it first.
        long next = 0, failed = long.MaxValue;
        Exception? failure = null;
        var gate = new Lock();
        Action<int> work = worker =>
        {
            while (true)
            {
                var position = Interlocked.Increment(ref next) - 1;
                if (position >= count || position > Interlocked.Read(ref failed)) return;
                try
                {
                    runners[worker].Run(order is null ? position : order[position]);
                }
                catch (SimulationException fault)
                {
                    lock (gate)
                        if (position < failed) (failed, failure) = (position, fault);
                    return;
                }
            }
        };
        try
        {
            if (workers == 1) work(0);
            else Parallel.For(0, workers, work);
            if (failure is not null) throw failure;
            return ReportWriter.Write(this, [.. runners]);
        }
        finally
        {
            foreach (var runner in runners) runner.Dispose();
        }
    }
}
