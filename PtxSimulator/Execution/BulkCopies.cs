using System.Buffers;
using PtxSimulator.Memory;

namespace PtxSimulator.Execution;

/// <summary>The bulk copies to shared memory of a block that are on their way. They land at issue or later, in any
/// order, as the schedule draws; then their mbarrier is told.</summary>
internal sealed unsafe class BulkCopies(BlockRunner block)
{
    private readonly List<Copy> _pending = [];

    private readonly record struct Copy(
        byte[] Data, int Bytes, uint Offset, TransactionBarrier Barrier, Warp Warp, nint Op);

    public void StartBlock()
    {
        foreach (var copy in _pending) ArrayPool<byte>.Shared.Return(copy.Data);
        _pending.Clear();
    }

    /// <summary>Takes up a copy. From now on its bytes count as written: who reads them too early is told by the check
    /// for races, whenever they land.</summary>
    /// <param name="data">Rented bytes, as they shall lie in shared memory, and what is known of each.</param>
    public void Issue(
        Warp warp, Op* op, byte[] data, byte[] states, int bytes, uint offset, TransactionBarrier barrier)
    {
        barrier.Copies++;
        states.AsSpan(0, bytes).CopyTo(new Span<byte>(block.SharedState + offset, bytes));
        ArrayPool<byte>.Shared.Return(states);
        _pending.Add(new Copy(data, bytes, offset, barrier, warp, (nint)op));
        if (block.Schedule.IsInOrder) Land(_pending.Count - 1);
    }

    /// <summary>Lets a copy land now and then.</summary>
    public void Draw()
    {
        if (_pending.Count > 0 && block.Schedule.Next(4) == 0) LandOne();
    }

    /// <returns>False where none is on its way.</returns>
    public bool LandOne()
    {
        if (_pending.Count == 0) return false;
        Land(block.Schedule.Next(_pending.Count));
        return true;
    }

    private void Land(int index)
    {
        var copy = _pending[index];
        _pending.RemoveAt(index);
        copy.Data.AsSpan(0, copy.Bytes).CopyTo(new Span<byte>(block.Shared + copy.Offset, copy.Bytes));
        ArrayPool<byte>.Shared.Return(copy.Data);
        block.TransactionBarriers.Deliver(copy.Barrier, copy.Bytes, copy.Warp, (Op*)copy.Op);
    }
}
