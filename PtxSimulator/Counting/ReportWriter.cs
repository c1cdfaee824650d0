using PtxSimulator.Execution;
using PtxSimulator.Parsing;

namespace PtxSimulator.Counting;

/// <summary>Adds up what the workers of a launch have counted.</summary>
internal static unsafe class ReportWriter
{
    public static LaunchReport Write(Launch launch, List<BlockRunner> runners)
    {
        var program = launch.Program;
        var report = new LaunchReport
        {
            Kernel = program.Kernel.Name,
            Grid = launch.Grid,
            Block = launch.Block,
            SharedBytes = launch.SharedBytes,
            Barriers = runners.Sum(runner => runner.Barriers),
        };
        if (!launch.Options.Counters) return report;

        var counts = new OpCounter[program.Count];
        foreach (var runner in runners) runner.AddCounts(counts);
        foreach (var runner in runners[1..]) runners[0].Sectors!.Unite(runner.Sectors!);
        return report with
        {
            Instructions = [.. counts.Select((count, index) => Describe(program, index, count))],
            GlobalLoads = Global(program, counts, Access.Read, runners[0].Sectors!.DistinctRead),
            GlobalStores = Global(program, counts, Access.Write, runners[0].Sectors!.DistinctWritten),
            SharedLoads = Shared(program, counts, Access.Read),
            SharedStores = Shared(program, counts, Access.Write),
            MmaMultiplyAdds = Sum(program, counts, (text, count) => count.Warps * MmaWork(text)),
            FmaMultiplyAdds = Sum(program, counts, (text, count) => count.Threads * FmaWork(text)),
        };
    }

    private static InstructionCount Describe(KernelProgram program, int index, in OpCounter count) =>
        new(program.Location(index), program.Text(index), program.ClassOf(index), count.Warps, count.Threads)
        {
            BytesAsked = count.GlobalBytes > 0 ? count.GlobalBytes : count.SharedBytes + count.LocalBytes,
            Sectors = count.Sectors,
            BankCycles = count.Cycles,
            IdealBankCycles = count.IdealCycles,
        };

    private static GlobalTraffic Global(KernelProgram program, OpCounter[] counts, Access access, long distinct)
    {
        var traffic = new GlobalTraffic(0, 0, 0, distinct);
        for (var i = 0; i < counts.Length; i++)
        {
            // cp.async writes to shared memory what it reads here.
            var does = program.Ops[i].Access == Access.Copy ? Access.Read : program.Ops[i].Access;
            if (counts[i].GlobalBytes == 0 || !does.HasFlag(access)) continue;
            traffic += new GlobalTraffic(counts[i].Warps, counts[i].GlobalBytes, counts[i].Sectors, 0);
        }
        return traffic;
    }

    private static SharedTraffic Shared(KernelProgram program, OpCounter[] counts, Access access)
    {
        var traffic = new SharedTraffic();
        for (var i = 0; i < counts.Length; i++)
            if (counts[i].SharedBytes > 0 && program.Ops[i].Access.HasFlag(access))
                traffic += new SharedTraffic(
                    counts[i].Warps, counts[i].SharedBytes, counts[i].Cycles, counts[i].IdealCycles);
        return traffic;
    }

    private static long Sum(KernelProgram program, OpCounter[] counts, Func<string, OpCounter, long> work)
    {
        long sum = 0;
        for (var i = 0; i < counts.Length; i++)
            if (counts[i].Warps > 0) sum += work(program.Opcode(i), counts[i]);
        return sum;
    }

    // m16n8k16: 16 * 8 * 16 products. m64n128k16: 64 * 128 * 16 by four warps together.
    private static long MmaWork(string opcode)
    {
        if (opcode.StartsWith("wgmma.mma_async", StringComparison.Ordinal))
            return 16 * 16 * int.Parse(opcode.Split('.')[4][4..^3], System.Globalization.CultureInfo.InvariantCulture);
        if (!opcode.StartsWith("mma.", StringComparison.Ordinal)) return 0;
        var shape = opcode.Split('.').First(part => part.StartsWith("m16n8k", StringComparison.Ordinal));
        return 16 * 8 * int.Parse(shape.AsSpan(6), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static long FmaWork(string opcode) =>
        !opcode.StartsWith("fma.", StringComparison.Ordinal) ? 0
        : opcode.EndsWith("x2", StringComparison.Ordinal) ? 2 : 1;
}
