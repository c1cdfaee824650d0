using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using PtxSimulator.Instructions;

namespace PtxSimulator.Execution;

/// <summary>The cp.async copies of a warp that its threads have not waited for. Their bytes land at issue, at the wait
/// or at a later copy, as the schedule draws.</summary>
internal sealed unsafe class PendingCopies
{
    private const int NoGroup = int.MaxValue;

    private readonly List<Copy> _pending = [];
    private readonly Stack<Copy> _spare = [];

    /// <summary>How many groups each lane has committed.</summary>
    private readonly int[] _groups = new int[32];

    /// <summary>One cp.async instruction of up to 32 lanes.</summary>
    private sealed class Copy
    {
        public uint Waiting;
        public uint Lanes;
        public int Bytes;
        public bool HasLanded;
        public readonly uint[] Destinations = new uint[32];
        public readonly byte[] Data = new byte[32 * 16];

        /// <summary>The group that each lane committed it to.</summary>
        public readonly int[] Group = new int[32];
    }

    public void Clear()
    {
        foreach (var copy in _pending) _spare.Push(copy);
        _pending.Clear();
        Array.Clear(_groups);
    }

    /// <summary>Takes up a copy of <paramref name="bytes"/> per lane of the mask to the warp's offsets; returns where
    /// its data belongs, 16 bytes per lane.</summary>
    public Span<byte> Issue(Warp warp, int bytes)
    {
        var copy = _spare.TryPop(out var spare) ? spare : new Copy();
        (copy.Lanes, copy.Waiting, copy.Bytes, copy.HasLanded) = (warp.Mask, warp.Mask, bytes, false);
        new ReadOnlySpan<uint>(warp.Offsets, 32).CopyTo(copy.Destinations);
        copy.Group.AsSpan().Fill(NoGroup);
        _pending.Add(copy);
        return copy.Data;
    }

    /// <summary>Draws when the copy issued last lands, and lets an earlier one land now and then.</summary>
    public void Draw(Warp warp)
    {
        var schedule = warp.Block.Schedule;
        if (schedule.IsInOrder || schedule.Next(3) == 0) Land(warp, _pending[^1]);
        else if (schedule.Next(4) == 0) Land(warp, _pending[schedule.Next(_pending.Count)]);
    }

    public void Commit(uint lanes)
    {
        ref var groups = ref MemoryMarshal.GetArrayDataReference(_groups);
        foreach (var copy in _pending)
        {
            ref var group = ref MemoryMarshal.GetArrayDataReference(copy.Group);
            for (var i = 0; i < 32; i += 16)
            {
                var old = Vector512.LoadUnsafe(ref group, (nuint)i);
                var joins = Vector512.Equals(old, Vector512.Create(NoGroup)) & Lanes.Chosen<int>(lanes, 4 * i);
                var current = Vector512.LoadUnsafe(ref groups, (nuint)i);
                Vector512.ConditionalSelect(joins, current, old).StoreUnsafe(ref group, (nuint)i);
            }
        }
        for (var i = 0; i < 32; i += 16)
        {
            var increased = Vector512.LoadUnsafe(ref groups, (nuint)i) - Lanes.Chosen<int>(lanes, 4 * i);
            increased.StoreUnsafe(ref groups, (nuint)i);
        }
    }

    /// <summary>Completes all but the latest <paramref name="kept"/> groups of each lane of the mask.</summary>
    public void Wait(Warp warp, int kept)
    {
        var remaining = 0;
        for (var i = 0; i < _pending.Count; i++)
        {
            var copy = _pending[i];
            var done = copy.Waiting & warp.Mask & InOlderGroups(copy, kept);
            if (done != 0 && !copy.HasLanded) Land(warp, copy);
            if (warp.Block.Races is { } races)
                for (var rest = done; rest != 0;)
                {
                    var lane = Lanes.TakeLowest(ref rest);
                    races.Land(warp, lane, copy.Destinations[lane], copy.Bytes);
                }
            copy.Waiting &= ~done;
            if (copy.Waiting != 0) _pending[remaining++] = copy;
            else _spare.Push(copy);
        }
        _pending.RemoveRange(remaining, _pending.Count - remaining);
    }

    /// <summary>Completes everything, committed or not.</summary>
    public void WaitAll(Warp warp)
    {
        Commit(warp.Mask);
        Wait(warp, 0);
    }

    private uint InOlderGroups(Copy copy, int kept)
    {
        ulong older = 0;
        for (var i = 0; i < 32; i += 16)
        {
            var group = Vector512.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(copy.Group), (nuint)i);
            var committed = Vector512.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(_groups), (nuint)i);
            var bound = committed - Vector512.Create(kept);
            older |= Vector512.LessThan(group, bound).ExtractMostSignificantBits() << i;
        }
        return (uint)older;
    }

    private static void Land(Warp warp, Copy copy)
    {
        if (copy.HasLanded) return;
        copy.HasLanded = true;
        fixed (byte* data = copy.Data)
            for (var rest = copy.Lanes; rest != 0;)
            {
                var lane = Lanes.TakeLowest(ref rest);
                AsynchronousCopies.CopyLane(data + lane * 16, warp.Block.Shared + copy.Destinations[lane], copy.Bytes);
            }
    }
}
