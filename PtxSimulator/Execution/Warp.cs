using System.Numerics;
using PtxSimulator.Counting;

namespace PtxSimulator.Execution;

/// <summary>32 threads. Those that run together are a group; a divergent branch splits it, and the group with the
/// lowest program counter runs first until it meets another.</summary>
internal sealed unsafe class Warp(BlockRunner block, int index)
{
    /// <summary>Backward branches of a divergent warp between two changes of the order of its groups, so that a group
    /// that waits for another cannot keep it from running.</summary>
    private const int FairTurn = 2048;

    private readonly Group[] _groups = new Group[33];
    private int _groupCount;
    private bool _highestFirst;
    private int _turn;
    private bool _yields;

    private struct Group
    {
        public int Pc;
        public uint Mask;
        public bool Waits;
    }

    public readonly BlockRunner Block = block;
    public readonly int Index = index;

    public byte* Registers;
    public byte* Local;

    /// <summary>Lanes that do the current instruction.</summary>
    public uint Mask;

    /// <summary>Lanes of the running group.</summary>
    public uint Active;

    /// <summary>Lanes that have not exited.</summary>
    public uint Alive;

    /// <summary>The next instruction of the running group.</summary>
    public int Pc;

    /// <summary>Program counter at which the groups must be looked at again.</summary>
    public int Rejoin;

    /// <summary>What <see cref="Op.Resolve"/> found: where each lane's access starts, from
    /// <see cref="Base"/>.</summary>
    public uint* Offsets;
    public byte* Base;
    public AccessPattern Pattern;

    /// <summary>The barrier instruction that the warp waits at, or null.</summary>
    public Op* Barrier;

    /// <summary>Grows with each barrier that the warp passes: accesses of one warp are ordered between two of
    /// them.</summary>
    public int WarpEpoch;

    /// <summary>The mbarrier whose phase was not over when the warp looked last, and <see
    /// cref="TransactionBarriers.Changes"/> at that time.</summary>
    public TransactionBarrier? Awaits { get; private set; }

    private long _asleepSince;

    public readonly PendingCopies Copies = new();

    /// <summary>What wgmma does beside the warp; null in kernels that have none.</summary>
    public readonly WarpProducts? Products =
        block.Launch.Program.FragmentRegisters > 0 ? new(block.Launch.Program.FragmentRegisters) : null;

    /// <summary>Bulk copies to global memory.</summary>
    public readonly BulkStores Stores = new();

    public long Branches;
    private int _budget;

    public bool IsFinished => Alive == 0;

    public bool IsReady => Alive != 0 && Barrier == null;

    public void Start(uint lanes, byte* registers, byte* local, int budget)
    {
        Registers = registers;
        Local = local;
        Barrier = null;
        (Alive, Active, Pc, Rejoin) = (lanes, lanes, 0, int.MaxValue);
        (_groupCount, _highestFirst, _turn, _yields, _budget) = (0, false, 0, false, budget);
        (WarpEpoch, Branches, Awaits) = (0, 0, null);
        Copies.Clear();
        Products?.Clear();
        Stores.Clear();
    }

    /// <summary>Runs until the warp ends, waits at a barrier, or has used up its turn.</summary>
    public void Run(Op* ops, OpCounter* counters)
    {
        Awaits = null;
        if (Products is null)
        {
            if (counters == null) Run<Off, Off>(ops, counters);
            else Run<On, Off>(ops, counters);
        }
        else if (counters == null) Run<Off, On>(ops, counters);
        else Run<On, On>(ops, counters);
    }

    public void Resume(int budget)
    {
        _budget = budget;
        Barrier = null;
        Rejoin = _groupCount == 0 ? int.MaxValue : 0;
    }

    /// <summary>Ends the warp's turn: nothing will have come of looking again before something has changed.</summary>
    public void Sleep(TransactionBarrier barrier, long changes)
    {
        (Awaits, _asleepSince) = (barrier, changes);
        (_yields, Rejoin) = (true, 0);
    }

    public bool IsAsleep(long changes) => Awaits != null && _asleepSince == changes;

    /// <summary>Ends the warp's turn at once.</summary>
    public void Stop() => Rejoin = 0;

    public void Branch(int target, int from)
    {
        if (Mask != Active) Push(Pc, Active & ~Mask, waits: false);
        Active = Mask;
        Pc = target;
        if (_groupCount > 0) Rejoin = 0;
        if (target > from) return;
        Branches++;
        if (--_budget <= 0) (_yields, Rejoin) = (true, 0);
        if (_groupCount > 0 && ++_turn % FairTurn == 0) _highestFirst = !_highestFirst;
    }

    public void Exit()
    {
        Alive &= ~Mask;
        Active &= ~Mask;
        for (var i = 0; i < _groupCount; i++) _groups[i].Waits = false;  // they may have waited for these lanes
        if (Active == 0) Rejoin = 0;
    }

    /// <summary>Whether all living lanes of <paramref name="members"/> have arrived at an instruction; if not, those
    /// that have wait for the others.</summary>
    public bool Gather(Op* op, uint members)
    {
        if ((members & Alive & ~Mask) == 0) return true;
        Push(op->Index, Mask, waits: true);
        Active &= ~Mask;
        Rejoin = 0;
        return false;
    }

    private void Run<TCounting, TProducts>(Op* ops, OpCounter* counters)
        where TCounting : struct, ISwitch where TProducts : struct, ISwitch
    {
        var registers = Registers;
        while (true)
        {
            if (Pc >= Rejoin && !Regroup()) return;
            var op = ops + Pc++;
            var mask = Active & (*(uint*)(registers + op->Guard) ^ op->GuardFlip);
            if (mask == 0) continue;
            Mask = mask;
            if (TCounting.On)
            {
                counters[op->Index].Warps++;
                counters[op->Index].Threads += BitOperations.PopCount(mask);
            }
            if (TProducts.On && op->Fragments != null) Products!.Touch(this, op);
            op->Run(this, op);
        }
    }

    private void Push(int pc, uint mask, bool waits)
    {
        for (var i = 0; i < _groupCount; i++)
        {
            if (_groups[i].Pc != pc) continue;
            _groups[i].Mask |= mask;
            _groups[i].Waits = false;
            return;
        }
        _groups[_groupCount++] = new Group { Pc = pc, Mask = mask, Waits = waits };
    }

    // Merges groups that stand at the same instruction and picks the one to run. False: the warp's turn is over.
    private bool Regroup()
    {
        if (Barrier != null) return false;
        if (_yields)
        {
            _yields = false;
            return false;
        }
        if (Active != 0) Push(Pc, Active, waits: false);
        Active = 0;
        if (_groupCount == 0) return false;

        var pick = -1;
        for (var i = 0; i < _groupCount; i++)
        {
            if (_groups[i].Waits) continue;
            if (pick < 0 || _groups[i].Pc < _groups[pick].Pc != _highestFirst) pick = i;
        }
        if (pick < 0) throw Block.NeverMeet(this);
        (Pc, Active) = (_groups[pick].Pc, _groups[pick].Mask);
        _groups[pick] = _groups[--_groupCount];
        Rejoin = int.MaxValue;
        for (var i = 0; i < _groupCount; i++)
            if (_groups[i].Pc > Pc) Rejoin = Math.Min(Rejoin, _groups[i].Pc);
        return true;
    }

    /// <summary>Where the lanes stand that wait for others of their warp.</summary>
    public IEnumerable<(int Pc, uint Lanes)> Waiting =>
        _groups.Take(_groupCount).Select(group => (group.Pc, group.Mask));
}

/// <summary>A choice that is made when code is compiled, so that what is off costs nothing.</summary>
internal interface ISwitch
{
    static abstract bool On { get; }
}

internal readonly struct On : ISwitch
{
    static bool ISwitch.On => true;
}

internal readonly struct Off : ISwitch
{
    static bool ISwitch.On => false;
}

/// <summary>How the addresses of a full warp relate.</summary>
internal enum AccessPattern { Scattered, Contiguous, Uniform }
