using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PtxSimulator.Checking;
using PtxSimulator.Counting;
using PtxSimulator.Memory;

namespace PtxSimulator.Execution;

/// <summary>Runs blocks, one after the other, on one thread of the host.</summary>
internal sealed unsafe class BlockRunner : IDisposable
{
    /// <summary>Where shared memory starts in its space: the first KiB belongs to the system.</summary>
    public const uint FirstShared = 0x400;

    private readonly Warp[] _warps;
    private readonly byte* _registers;
    private readonly uint* _offsets;
    private readonly int _localBytes;
    /// <summary>How often warps look in vain at mbarriers, with nothing else going on, before that is called a
    /// deadlock.</summary>
    private const int VainLooks = 20_000;

    private Schedule _schedule = new(0, 0);
    private (int X, int Y, int Z) _block;

    public BlockRunner(Launch launch)
    {
        Launch = launch;
        var program = launch.Program;
        var threads = (int)launch.Block.Count;
        _warps = new Warp[(threads + 31) / 32];
        for (var i = 0; i < _warps.Length; i++) _warps[i] = new Warp(this, i);
        (TransactionBarriers, BulkCopies, Warpgroups) = (new(this), new(this), new(_warps.Length));
        _registers = Allocate((long)program.RegisterBytes * _warps.Length);
        _localBytes = (program.LocalBytes + 15) / 16 * 16;
        Local = Allocate((long)_localBytes * 32 * _warps.Length);
        LocalState = (ByteState*)Allocate((long)_localBytes * 32 * _warps.Length);
        Shared = Allocate(launch.SharedBytes);
        SharedState = (ByteState*)Allocate(launch.SharedBytes);
        _offsets = (uint*)Allocate(32 * sizeof(uint));
        Parameters = Allocate(launch.Parameters.Length);
        launch.Parameters.CopyTo(new Span<byte>(Parameters, launch.Parameters.Length));
        for (var i = 0; i < _warps.Length; i++) program.Preset(_registers + (long)i * program.RegisterBytes, launch, i);
        if (launch.Options.Counters)
        {
            Counters = (OpCounter*)NativeMemory.AllocZeroed((nuint)program.Count + 1, (nuint)sizeof(OpCounter));
            Sectors = new SectorSets(launch.Memory.Reached);
        }
        if (launch.Options.Checks.HasFlag(Checks.Races)) Races = new SharedRaces(this, program.SharedGranule);
    }

    public Launch Launch { get; }

    public byte* Shared { get; }

    public ByteState* SharedState { get; }

    /// <summary>Local memory of all warps: one piece per thread.</summary>
    public byte* Local { get; }

    public ByteState* LocalState { get; }

    public byte* Parameters { get; }

    /// <summary>One for each instruction and for the end; null where nothing is counted.</summary>
    public OpCounter* Counters { get; }

    public SectorSets? Sectors { get; }

    public SharedRaces? Races { get; }

    public TransactionBarriers TransactionBarriers { get; }

    public BulkCopies BulkCopies { get; }

    public Warpgroups Warpgroups { get; }

    public long Barriers { get; private set; }

    /// <summary>Instructions so far, in place of a clock.</summary>
    public long Clock { get; set; }

    public Schedule Schedule => _schedule;

    public Extent BlockIndex => new(_block.X, _block.Y, _block.Z);

    public int LocalBytes => _localBytes;

    public ReadOnlySpan<Warp> Warps => _warps;

    public void Run(long block)
    {
        var grid = Launch.Grid;
        _block = ((int)(block % grid.X), (int)(block / grid.X % grid.Y), (int)(block / grid.X / grid.Y));
        _schedule = new Schedule(Launch.Options.Seed, block);
        Unsafe.InitBlockUnaligned(Shared, 0xFF, (uint)Launch.SharedBytes);
        Unsafe.InitBlockUnaligned(SharedState, (byte)ByteState.Allocated, (uint)Launch.SharedBytes);
        var localBytes = (uint)(_localBytes * 32 * _warps.Length);
        Unsafe.InitBlockUnaligned(Local, 0xFF, localBytes);
        Unsafe.InitBlockUnaligned(LocalState, (byte)ByteState.Allocated, localBytes);
        Races?.StartBlock();
        TransactionBarriers.StartBlock();
        BulkCopies.StartBlock();
        Warpgroups.StartBlock();

        var threads = (int)Launch.Block.Count;
        for (var i = 0; i < _warps.Length; i++)
        {
            var lanes = Math.Min(32, threads - 32 * i);
            var registers = _registers + (long)i * Launch.Program.RegisterBytes;
            Launch.Program.PresetBlock(registers, _block.X, _block.Y, _block.Z);
            _warps[i].Offsets = _offsets;
            _warps[i].Start(
                lanes == 32 ? ~0u : (1u << lanes) - 1, registers, Local + (long)i * 32 * _localBytes, _schedule.Turn);
        }
        RunWarps();
    }

    private void RunWarps()
    {
        var (current, looks, changes) = (-1, 0, 0L);
        while (true)
        {
            BulkCopies.Draw();
            var next = NextReady(current, asleep: false);
            if (next < 0)
            {
                if (BulkCopies.LandOne() || Release()) continue;
                next = NextReady(current, asleep: true);
                if (next < 0) break;
                if (changes != TransactionBarriers.Changes) (looks, changes) = (0, TransactionBarriers.Changes);
                if (++looks > VainLooks) throw NeverOver(_warps[next]);
            }
            current = next;
            var warp = _warps[current];
            warp.Run(Launch.Program.Ops, Counters);
            if (!warp.IsReady) continue;
            if (warp.Branches > Launch.Options.BranchLimit)
                throw Fault(FaultKind.Endless, warp, Launch.Program.Ops + warp.Pc,
                    BitOperations.TrailingZeroCount(warp.Alive),
                    $"{Launch.Kernel} took more than {Launch.Options.BranchLimit} backward branches in one warp: " +
                    "it seems endless.");
            warp.Resume(_schedule.Turn);
        }
        Warpgroups.EndBlock(this);
        TransactionBarriers.EndBlock();
    }

    // The next warp that can run, after the current one or at random; -1 if none can.
    private int NextReady(int current, bool asleep)
    {
        var start = _schedule.IsInOrder ? current + 1 : _schedule.Next(_warps.Length);
        for (var i = 0; i < _warps.Length; i++)
        {
            var warp = _warps[(start + i) % _warps.Length];
            if (warp.IsReady && warp.IsAsleep(TransactionBarriers.Changes) == asleep) return warp.Index;
        }
        return -1;
    }

    // Lets the warps on that wait at a complete barrier. False: none is complete, and some warp may yet come.
    private bool Release()
    {
        var waiting = _warps.FirstOrDefault(warp => warp.Barrier != null);
        if (waiting is null) return false;
        foreach (var warp in _warps)
        {
            if (warp.Barrier == null) continue;
            var barrier = new BarrierArrival(this, warp.Barrier);
            if (!barrier.IsComplete) continue;
            if (barrier.Missing > 0 && Launch.Options.Checks.HasFlag(Checks.Barriers))
                throw Fault(FaultKind.BarrierDivergence, warp, warp.Barrier,
                    BitOperations.TrailingZeroCount(warp.Alive),
                    $"{barrier.Arrived} threads of the block reach this barrier; the other {barrier.Missing} " +
                    "have ended. Let all threads reach it, and only then return.");
            barrier.Release();
            Barriers++;
            return true;
        }
        if (_warps.Any(warp => warp.IsReady)) return false;
        throw Fault(FaultKind.Deadlock, waiting, waiting.Barrier, BitOperations.TrailingZeroCount(waiting.Alive),
            $"no barrier can complete: {WaitingWarps()}.");
    }

    private SimulationException NeverOver(Warp warp)
    {
        var places = string.Join("; ", _warps.Where(other => other.IsReady && other.Awaits is not null).Select(other =>
            $"warp {other.Index} waits for phase {other.Awaits!.Phase} of the mbarrier at 0x" +
            $"{FirstShared + other.Awaits.Offset:X}, which lacks {other.Awaits.Wanting}"));
        var barriers = _warps.Any(other => other.Barrier != null) ? $"; {WaitingWarps()}" : "";
        var lane = BitOperations.TrailingZeroCount(warp.Alive);
        return Fault(
            FaultKind.Deadlock, warp, Launch.Program.Ops + warp.Pc, lane, $"no phase can end: {places}{barriers}.");
    }

    private string WaitingWarps() => string.Join("; ", _warps.Where(warp => warp.Barrier != null)
        .GroupBy(warp => warp.Barrier->Index)
        .Select(group => (Threads: group.Sum(warp => BitOperations.PopCount(warp.Alive)), Op: group.Key))
        .Select(group => $"{group.Threads} threads wait at {Launch.Program.Location(group.Op)}"));

    public SimulationException NeverMeet(Warp warp)
    {
        var groups = warp.Waiting.ToList();
        var places = string.Join(
            "; ", groups.Select(group => $"lanes 0x{group.Lanes:X8} at {Launch.Program.Location(group.Pc)}"));
        var op = Launch.Program.Ops + groups[0].Pc;
        var kind = Launch.Program.IsBarrier(op->Index) ? FaultKind.BarrierDivergence : FaultKind.WarpDivergence;
        return Fault(kind, warp, op, BitOperations.TrailingZeroCount(groups[0].Lanes),
            $"the lanes of a warp wait for each other at instructions that not all reach: {places}.");
    }

    public SimulationException Fault(
        FaultKind kind, Warp warp, Op* op, int lane, string what, ulong? address = null, string? allocation = null)
    {
        var (x, y) = (Launch.Block.X, Launch.Block.Y);
        var thread = warp.Index * 32 + lane;
        return new SimulationException(kind, what)
        {
            Location = Launch.Program.Location(op->Index),
            Instruction = Launch.Program.Text(op->Index),
            Block = BlockIndex,
            Thread = new Extent(thread % x, thread / x % y, thread / x / y),
            Address = address,
            Allocation = allocation,
        };
    }

    public void AddCounts(OpCounter[] sums)
    {
        for (var i = 0; i < sums.Length; i++)
        {
            sums[i].Warps += Counters[i].Warps;
            sums[i].Threads += Counters[i].Threads;
            sums[i].GlobalBytes += Counters[i].GlobalBytes;
            sums[i].SharedBytes += Counters[i].SharedBytes;
            sums[i].LocalBytes += Counters[i].LocalBytes;
            sums[i].Sectors += Counters[i].Sectors;
            sums[i].Cycles += Counters[i].Cycles;
            sums[i].IdealCycles += Counters[i].IdealCycles;
        }
    }

    public void Dispose()
    {
        Races?.Dispose();
        NativeMemory.Free(Counters);
        NativeMemory.AlignedFree(_registers);
        NativeMemory.AlignedFree(Local);
        NativeMemory.AlignedFree(LocalState);
        NativeMemory.AlignedFree(Shared);
        NativeMemory.AlignedFree(SharedState);
        NativeMemory.AlignedFree(_offsets);
        NativeMemory.AlignedFree(Parameters);
    }

    private static byte* Allocate(long bytes) => (byte*)NativeMemory.AlignedAlloc((nuint)bytes + 64, 64);
}
