using System.Numerics;
using System.Runtime.Intrinsics;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>cp.async: from global to shared memory, past the registers.</summary>
internal static unsafe class AsynchronousCopies
{
    /// <summary><see cref="Op.Parts"/> hold the write to shared and the read from global memory; the number of bytes to
    /// read stands in register <see cref="Op.B"/> (negative: all), what is missing becomes zero.</summary>
    public static void Copy(Warp warp, Op* op)
    {
        var write = op->Parts;
        var read = op->Parts + 1;
        var all = warp.Mask;
        write->Resolve(warp, write);
        fixed (byte* data = warp.Copies.Issue(warp, op->Bytes))
        {
            if (op->B < 0) Fetch(warp, read, data);
            else FetchSome(warp, op, read, data);
        }
        warp.Mask = all;
        warp.Copies.Draw(warp);
    }

    public static void Commit(Warp warp, Op* op) => warp.Copies.Commit(warp.Mask);

    /// <summary>wait_group: all but the latest <see cref="Op.Immediate"/> groups.</summary>
    public static void Wait(Warp warp, Op* op) => warp.Copies.Wait(warp, (int)op->Immediate);

    public static void WaitAll(Warp warp, Op* op) => warp.Copies.WaitAll(warp);

    private static void Fetch(Warp warp, Op* read, byte* data)
    {
        read->Resolve(warp, read);
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            CopyLane(warp.Base + warp.Offsets[lane], data + lane * 16, read->Bytes);
        }
    }

    public static void CopyLane(byte* source, byte* target, int bytes)
    {
        if (bytes == 16) Vector128.Load(source).Store(target);
        else if (bytes == 8) *(ulong*)target = *(ulong*)source;
        else if (bytes == 4) *(uint*)target = *(uint*)source;
        else new ReadOnlySpan<byte>(source, bytes).CopyTo(new Span<byte>(target, bytes));
    }

    private static void FetchSome(Warp warp, Op* op, Op* read, byte* data)
    {
        new Span<byte>(data, 32 * 16).Clear();
        var sizes = (uint*)(warp.Registers + op->B);
        var pending = warp.Mask;
        while (pending != 0)
        {
            // Lanes that read as many bytes as the first of them go together.
            var size = sizes[BitOperations.TrailingZeroCount(pending)];
            var same = 0u;
            for (var rest = pending; rest != 0;)
            {
                var lane = Lanes.TakeLowest(ref rest);
                if (sizes[lane] == size) same |= 1u << lane;
            }
            pending &= ~same;
            if (size == 0) continue;
            if (size > op->Bytes)
                throw warp.Block.Fault(FaultKind.OutOfBounds, warp, op, BitOperations.TrailingZeroCount(same),
                    $"cp.async reads {size} bytes but copies {op->Bytes}.");
            var part = *read;
            part.Bytes = (int)size;
            warp.Mask = same;
            Fetch(warp, &part, data);
        }
    }
}
