using System.Runtime.InteropServices;
using PtxSimulator.Checking;

namespace PtxSimulator.Execution;

/// <summary>The wgmma instructions that a warp has not waited for. Their accumulators hold NaN in its registers until
/// it has, and may not be touched.</summary>
/// <param name="registers">Registers of the kernel that wgmma uses.</param>
internal sealed unsafe class WarpProducts(int registers)
{
    private readonly List<Sum> _sums = [];
    private readonly List<(int Group, SharedRaces.UnfinishedRead Read)> _reads = [];

    /// <summary>Of each register: whether a product uses it.</summary>
    private readonly Use[] _uses = new Use[registers];

    /// <summary>Of each register: the wgmma.fence after which the warp touched it itself.</summary>
    private readonly int[] _touched = new int[registers];

    private int _groups;
    private int _fences;

    private enum Use : byte { None, Source, Result }

    /// <summary>Accumulators, outside of the registers for as long as products add to them.</summary>
    internal sealed class Sum(nint op, int count)
    {
        public Op* Op => (Op*)op;
        public int Group;
        public readonly float[] Values = new float[count * 32];
    }

    /// <summary>Instructions so far; those of four warps belong together.</summary>
    public int Count { get; set; }

    public void Clear()
    {
        _sums.Clear();
        _reads.Clear();
        Array.Clear(_uses);
        Array.Clear(_touched);
        (_groups, _fences, Count) = (0, 0, 0);
    }

    /// <summary>An ordinary instruction reads or writes registers that wgmma uses too.</summary>
    public void Touch(Warp warp, Op* op)
    {
        for (var fragment = op->Fragments; *fragment >= 0; fragment++)
        {
            var (register, writes) = (*fragment >> 1, (*fragment & 1) != 0);
            _touched[register] = _fences + 1;
            if (_uses[register] == Use.Result || _uses[register] == Use.Source && writes)
            {
                throw warp.Block.Fault(FaultKind.RegisterInFlight, warp, op, 0, _uses[register] == Use.Result
                    ? "touches an accumulator before wgmma.wait_group has waited for its product."
                    : "changes a register that wgmma may still read; wait for its group first.");
            }
        }
    }

    public void Fence() => _fences++;

    /// <summary>Takes up a product.</summary>
    /// <param name="results">Accumulators: the first of its registers.</param>
    /// <param name="keepsSum">Whether it adds to what the accumulators hold.</param>
    /// <returns>Where to add: the accumulators, one register of 32 lanes after the other.</returns>
    public Span<float> Begin(Warp warp, Op* op, int results, bool keepsSum)
    {
        if (_fences == 0) throw Unfenced(warp, op);
        var sum = _sums.Find(other => Same(other.Op, op, results));
        var all = Fragments(op);
        for (var i = 0; i < all.Length; i++)
        {
            var isResult = i < results;
            var use = _uses[all[i]];
            if (use == Use.Result && !(isResult && sum is not null) || use == Use.Source && isResult)
            {
                throw warp.Block.Fault(FaultKind.RegisterInFlight, warp, op, 0,
                    "takes registers that another wgmma, of another shape, may still use; wait for its group first.");
            }
            if (_touched[all[i]] > _fences) throw Unfenced(warp, op);
        }
        foreach (var register in all[..results]) _uses[register] = Use.Result;
        foreach (var register in all[results..]) _uses[register] = Use.Source;
        if (sum is null)
        {
            _sums.Add(sum = new Sum((nint)op, results));
            for (var i = 0; i < results; i++)
            {
                var register = new Span<float>(warp.Registers + op->Places[i], 32);
                register.CopyTo(sum.Values.AsSpan(32 * i));
                MemoryMarshal.AsBytes(register).Fill(0xFF);
            }
        }
        sum.Group = _groups;
        if (!keepsSum) Array.Clear(sum.Values);
        return sum.Values;
    }

    public void AddRead(SharedRaces.UnfinishedRead read) => _reads.Add((_groups, read));

    public void Commit() => _groups++;

    /// <summary>Ends all but the latest <paramref name="kept"/> groups.</summary>
    public void Wait(Warp warp, int kept)
    {
        var done = _groups - kept;
        foreach (var (group, read) in _reads)
            if (group < done) warp.Block.Races!.EndRead(read);
        _reads.RemoveAll(read => read.Group < done);
        foreach (var sum in _sums)
        {
            if (sum.Group >= done) continue;
            var op = sum.Op;
            for (var i = 0; i < sum.Values.Length / 32; i++)
                sum.Values.AsSpan(32 * i, 32).CopyTo(new Span<float>(warp.Registers + op->Places[i], 32));
            foreach (var register in Fragments(op)) _uses[register] = Use.None;
        }
        _sums.RemoveAll(sum => sum.Group < done);
        warp.WarpEpoch++;
    }

    // The registers of a product, as numbers among all that wgmma uses.
    private static ReadOnlySpan<int> Fragments(Op* op) => new(op->Places + op->Count, op->Count);

    private static bool Same(Op* a, Op* b, int results) => a->Bytes == b->Bytes
        && Fragments(a)[..results].SequenceEqual(Fragments(b)[..results]);

    private static SimulationException Unfenced(Warp warp, Op* op) =>
        warp.Block.Fault(FaultKind.RegisterInFlight, warp, op, 0,
            "no wgmma.fence stands between what the warp did with these registers, or its start, and this " +
            "instruction.");
}
