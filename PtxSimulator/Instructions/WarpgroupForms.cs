using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PtxSimulator.Counting;
using PtxSimulator.Decoding;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>wgmma: four warps multiply matrices in shared memory. Each warp computes its 16 of the 64 rows when it
/// gives the instruction; the sums reach its registers when it waits.</summary>
internal static unsafe class WarpgroupForms
{
    public static void Add(FormTable table)
    {
        table.Add("wgmma.fence.sync.aligned", &Fence, "", InstructionClass.Warp);
        table.Add("wgmma.commit_group.sync.aligned", &Commit, "", InstructionClass.Warp);
    }

    /// <summary>wgmma.wait_group: all but the latest <see cref="Op.Immediate"/> groups.</summary>
    public static void Wait(Warp warp, Op* op)
    {
        if (MatrixForms.GatherAll(warp, op)) warp.Products?.Wait(warp, (int)op->Immediate);
    }

    /// <summary>wgmma.mma_async m64nNk16 of halves into floats. Accumulators in <see cref="Op.Places"/>, N / 2 of them
    /// in <see cref="Op.Bytes"/>; descriptor of b in <see cref="Op.B"/>, of a in <see cref="Op.A"/>, or a in registers
    /// behind the accumulators. <see cref="Op.C"/>: whether to add. <see cref="Op.Immediate"/>: -1 to
    /// subtract.</summary>
    [SkipLocalsInit]
    public static void Multiply<TShared>(Warp warp, Op* op) where TShared : struct, ISwitch
    {
        if (!MatrixForms.GatherAll(warp, op)) return;
        var results = op->Bytes;
        var columns = 2 * results;
        var describedA = TShared.On ? Descriptor(warp, op, op->A) : 0;
        var describedB = Descriptor(warp, op, op->B);
        warp.Block.Warpgroups.Next(warp, op, describedA, describedB);
        var firstRow = warp.Index % 4 * 16;

        var chunks = new uint[(TShared.On ? 32 : 0) + 2 * columns];
        var matrixB = new SharedMatrix(describedB, warp, op);
        for (var i = 0; i < 2 * columns; i++) chunks[i] = matrixB.Chunk(i / 2, i % 2);
        if (TShared.On)
        {
            var matrixA = new SharedMatrix(describedA, warp, op);
            for (var i = 0; i < 32; i++) chunks[2 * columns + i] = matrixA.Chunk(firstRow + i / 2, i % 2);
        }
        CheckChunks(warp, op, chunks);

        var scale = *(uint*)(warp.Registers + op->C) ^ op->Flip;
        if (scale is not (0 or ~0u))
        {
            throw warp.Block.Fault(
                FaultKind.WarpDivergence, warp, op, 0, "the lanes disagree on whether to add to the sum.");
        }

        var sums = warp.Products!.Begin(warp, op, results, keepsSum: scale != 0);

        // a as mma takes it: upper and lower eight rows of the first eight of k, then of the next.
        var a = stackalloc float[256];
        for (var i = 0; i < 4; i++)
        {
            if (!TShared.On) MatrixForms.ExpandHalves(warp.Registers + op->Places[results + i], a + 64 * i);
            else
            {
                for (var row = 0; row < 8; row++)
                    ExpandChunk(warp, chunks[2 * columns + 2 * (8 * (i % 2) + row) + i / 2], a + 64 * i + 8 * row);
            }
        }
        if (op->Immediate < 0)
            for (var i = 0; i < 256; i++) a[i] = -a[i];
        var b = stackalloc float[128];
        var column = stackalloc float[16];
        fixed (float* first = sums)
        {
            for (var block = 0; block < columns / 8; block++)
            {
                for (var place = 0; place < 8; place++)
                {
                    var n = 8 * block + MatrixForms.ColumnAt(place);
                    ExpandChunk(warp, chunks[2 * n], column);
                    ExpandChunk(warp, chunks[2 * n + 1], column + 8);
                    for (var k = 0; k < 16; k++) b[8 * k + place] = column[k];
                }
                for (var half = 0; half < 2; half++)
                {
                    var even = first + 32 * (4 * block + 2 * half);
                    MatrixForms.MultiplyRows(a + 64 * half, 128, 8, b, 16, even, even + 32, even, even + 32);
                }
            }
        }
    }

    private static void Fence(Warp warp, Op* op)
    {
        if (MatrixForms.GatherAll(warp, op)) warp.Products?.Fence();
    }

    private static void Commit(Warp warp, Op* op)
    {
        if (MatrixForms.GatherAll(warp, op)) warp.Products?.Commit();
    }

    private static ulong Descriptor(Warp warp, Op* op, int place)
    {
        var descriptors = (ulong*)(warp.Registers + place);
        for (var lane = 1; lane < 32; lane++)
            if (descriptors[lane] != descriptors[0])
                throw warp.Block.Fault(FaultKind.WarpDivergence, warp, op, lane,
                    $"lane 0 gives the descriptor 0x{descriptors[0]:X} and lane {lane} 0x{descriptors[lane]:X}.");
        return descriptors[0];
    }

    private static void CheckChunks(Warp warp, Op* op, uint[] chunks)
    {
        var block = warp.Block;
        foreach (var chunk in chunks)
        {
            if (chunk + 16L <= block.Launch.SharedBytes) continue;
            var address = BlockRunner.FirstShared + chunk;
            throw block.Fault(FaultKind.OutOfBounds, warp, op, 0,
                $"shared address 0x{address:X} is outside of the block's {block.Launch.SharedBytes} bytes.", address);
        }
        if (block.Races is { } races) warp.Products!.AddRead(races.BeginRead(warp, op, chunks));
        var demands = block.Launch.ReadDemands;
        foreach (var chunk in chunks)
        {
            if (Checking.Watch.Meets(block.SharedState + chunk, 16, demands)) continue;
            var address = BlockRunner.FirstShared + chunk;
            throw block.Fault(FaultKind.UninitializedRead, warp, op, 0,
                $"multiplies what nothing has written, at shared address 0x{address:X}.", address,
                block.Launch.Program.SharedVariableAt((int)chunk));
        }
    }

    private static void ExpandChunk(Warp warp, uint chunk, float* target)
    {
        var halves = Vector128.Load((ushort*)(warp.Block.Shared + chunk));
        var (low, high) = Vector128.Widen(halves);
        var widened = Vector512.Create(Vector256.Create(low, high), Vector256<uint>.Zero);
        HalfVectors.Expand(widened).GetLower().Store(target);
    }
}
