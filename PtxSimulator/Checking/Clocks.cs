using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PtxSimulator.Checking;

/// <summary>Which accesses of a block are ordered before which, whatever the order in which they happened to run:
/// vector clocks. Each warp has a clock, and so has each mbarrier, for the copies that complete on it.</summary>
/// <remarks>Judged by warp: what one lane has waited for, its whole warp has.</remarks>
internal sealed unsafe class Clocks : IDisposable
{
    /// <summary>Mbarriers that a block may have at a time.</summary>
    public const int Barriers = 64;

    /// <summary>Clocks are stored in 24 bits, and go on rising from block to block.</summary>
    private const uint Limit = 1u << 23;

    private readonly int _warps;
    private readonly int _actors;
    private readonly uint* _own;
    private readonly uint* _seen;
    private readonly uint* _fenced;

    public Clocks(int warps)
    {
        _warps = warps;
        _actors = (warps + Barriers + 15) / 16 * 16;
        _own = Allocate(_actors);
        _seen = Allocate(_warps * _actors);
        _fenced = Allocate(_warps * _actors);
    }

    /// <summary>The least clock of this block; stamps below it are of earlier ones.</summary>
    public uint First { get; private set; } = 1;

    /// <summary>Starts another block, after all that came before.</summary>
    /// <returns>Whether the clocks have started anew, so that old stamps must be forgotten.</returns>
    public bool StartBlock()
    {
        uint latest = 0;
        for (var i = 0; i < _actors; i++) latest = Math.Max(latest, _own[i]);
        var restarts = latest > Limit;
        First = restarts ? 1 : latest + 1;
        new Span<uint>(_own, _actors).Fill(First);
        new Span<uint>(_seen, _warps * _actors).Fill(First);
        new Span<uint>(_fenced, _warps * _actors).Fill(First);
        return restarts;
    }

    public uint Of(int warp) => _own[warp];

    public uint OfBarrier(int barrier) => _own[_warps + barrier];

    /// <summary>Whether accesses of a warp at a clock are ordered before what another does now.</summary>
    public bool Orders(int earlier, uint clock, int now) => clock < _seen[now * _actors + earlier];

    /// <summary>The same for copies that completed a phase of an mbarrier.</summary>
    public bool OrdersCopies(int barrier, uint clock, int now) => clock < _seen[now * _actors + _warps + barrier];

    /// <summary>Whether a fence.proxy.async stands between accesses of a warp and what another now does through the
    /// asynchronous proxy.</summary>
    public bool Fences(int earlier, uint clock, int now) => clock < _fenced[now * _actors + earlier];

    /// <summary>fence.proxy.async: of all that the warp did or knows.</summary>
    public void Fence(int warp)
    {
        Join(_fenced + warp * _actors, _seen + warp * _actors);
        _fenced[warp * _actors + warp] = ++_own[warp];
    }

    /// <summary>A barrier of the block lets these warps on.</summary>
    public void Meet(ReadOnlySpan<int> warps)
    {
        var joint = new Vector(this);
        foreach (var warp in warps) Release(warp, joint);
        foreach (var warp in warps) Acquire(warp, joint);
    }

    /// <summary>Hands what a warp did and knows to whoever acquires it.</summary>
    public void Release(int warp, Vector to)
    {
        var own = ++_own[warp];
        fixed (uint* seen = to.Seen, fenced = to.Fenced)
        {
            Join(seen, _seen + warp * _actors);
            Join(fenced, _fenced + warp * _actors);
            seen[warp] = Math.Max(seen[warp], own);
        }
    }

    public void Acquire(int warp, Vector from)
    {
        fixed (uint* seen = from.Seen, fenced = from.Fenced)
        {
            Join(_seen + warp * _actors, seen);
            Join(_fenced + warp * _actors, fenced);
        }
    }

    /// <summary>A phase of an mbarrier is complete: its copies are handed on with all else.</summary>
    public void CompletePhase(int barrier, Vector released) =>
        released.Seen[_warps + barrier] = ++_own[_warps + barrier];

    private void Join(uint* to, uint* from)
    {
        for (var i = 0; i < _actors; i += 16)
            Vector512.Max(Vector512.Load(to + i), Vector512.Load(from + i)).Store(to + i);
    }

    private static uint* Allocate(int count) =>
        (uint*)NativeMemory.AllocZeroed((nuint)count, sizeof(uint));

    public void Dispose()
    {
        NativeMemory.Free(_own);
        NativeMemory.Free(_seen);
        NativeMemory.Free(_fenced);
    }

    /// <summary>What is handed from some warps to others.</summary>
    internal sealed class Vector(Clocks clocks)
    {
        public readonly uint[] Seen = new uint[clocks._actors];
        public readonly uint[] Fenced = new uint[clocks._actors];

        public void Join(Vector other)
        {
            for (var i = 0; i < Seen.Length; i++)
            {
                Seen[i] = Math.Max(Seen[i], other.Seen[i]);
                Fenced[i] = Math.Max(Fenced[i], other.Fenced[i]);
            }
        }
    }
}
