using System.Runtime.Intrinsics;
using PtxSimulator.Instructions;

namespace PtxSimulator.Execution;

/// <summary>The cp.async copies of a warp that its threads have not waited for. Their bytes land at issue, at the wait or
/// at a later copy, as the schedule draws.</summary>
internal sealed unsafe class PendingCopies
{
    private const int NoGroup = int.MaxValue;

    private readonly List<Copy> _pending = [];
    private readonly Stack<Copy> _spare = [];
    private readonly int[] _groups = new int[32];

    /// <summary>One cp.async instruction of up to 32 lanes.</summary>
    private sealed class Copy
    {
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

    /// <summary>Takes up a copy of <paramref name="bytes"/> per lane of the mask to the warp's offsets; returns where its
    /// data belongs, 16 bytes per lane.</summary>
    public Span<byte> Issue(Warp warp, int bytes)
    {
        var copy = _spare.TryPop(out var spare) ? spare : new Copy();
        (copy.Lanes, copy.Bytes, copy.HasLanded) = (warp.Mask, bytes, false);
        new ReadOnlySpan<uint>(warp.Offsets, 32).CopyTo(copy.Destinations);
        Array.Fill(copy.Group, NoGroup);
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
        foreach (var copy in _pending)
            for (var rest = copy.Lanes & lanes; rest != 0;)
            {
                var lane = Instructions.Lanes.TakeLowest(ref rest);
                if (copy.Group[lane] == NoGroup) copy.Group[lane] = _groups[lane];
            }
        while (lanes != 0) _groups[Instructions.Lanes.TakeLowest(ref lanes)]++;
    }

    /// <summary>Completes all but the latest <paramref name="kept"/> groups of each lane of the mask.</summary>
    public void Wait(Warp warp, int kept)
    {
        for (var i = 0; i < _pending.Count; i++)
        {
            var copy = _pending[i];
            for (var rest = copy.Lanes & warp.Mask; rest != 0;)
            {
                var lane = Instructions.Lanes.TakeLowest(ref rest);
                if (copy.Group[lane] >= _groups[lane] - kept) continue;
                if (!copy.HasLanded) Land(warp, copy);
                warp.Block.Races?.Land(warp, lane, copy.Destinations[lane], copy.Bytes);
                copy.Lanes &= ~(1u << lane);
            }
        }
        Forget();
    }

    /// <summary>Completes everything, committed or not.</summary>
    public void WaitAll(Warp warp)
    {
        Commit(warp.Mask);
        Wait(warp, 0);
    }

    private void Forget()
    {
        foreach (var copy in _pending)
            if (copy.Lanes == 0) _spare.Push(copy);
        _pending.RemoveAll(copy => copy.Lanes == 0);
    }

    private static void Land(Warp warp, Copy copy)
    {
        if (copy.HasLanded) return;
        copy.HasLanded = true;
        for (var rest = copy.Lanes; rest != 0;)
        {
            var lane = Instructions.Lanes.TakeLowest(ref rest);
            copy.Data.AsSpan(lane * 16, copy.Bytes).CopyTo(new Span<byte>(warp.Block.Shared + copy.Destinations[lane], copy.Bytes));
        }
    }
}
