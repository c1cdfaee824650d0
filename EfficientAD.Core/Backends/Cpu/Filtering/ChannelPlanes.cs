using System.Runtime.Intrinsics;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>Feature maps with the channels of a block side by side, [sample][block][row][column][lane], in which a
/// pixel of a block is one vector. Channels beyond the last are zero.</summary>
/// <param name="Blocks">Blocks of <paramref name="Lanes"/> channels.</param>
/// <param name="Pitch">Columns from one row to the next; odd, so that pixels below each other do not share a cache
/// set.</param>
internal readonly unsafe record struct ChannelPlanes(
    nint Address, int Lanes, int Blocks, int Height, int Pitch) : ITileSource
{
    private const int Step = 4;

    public static int OddPitch(int width) => width | 1;

    public long PlaneCount => (long)Height * Pitch * Lanes;

    public float* Plane(int sample, int block) => (float*)Address + ((long)sample * Blocks + block) * PlaneCount;

    public float* Tile(int sample, int block, int top, int left, int extent, float* scratch, out nint pitch)
    {
        pitch = Pitch * Lanes;
        return Plane(sample, block) + top * pitch + left * Lanes;
    }

    /// <summary>The same memory, seen so that this sample is the first.</summary>
    public ChannelPlanes From(int sample) => this with { Address = (nint)Plane(sample, 0) };

    /// <summary>The same memory, seen so that this pixel is the first.</summary>
    public ChannelPlanes From(int row, int column) =>
        this with { Address = Address + (row * Pitch + column) * Lanes * sizeof(float) };

    /// <summary>Lays a tensor out anew: value (y, x) comes to (top + y, left + x), all else is zero; what falls outside
    /// is left out.</summary>
    public static ChannelPlanes Lay(
        Tensor tensor, int top, int left, int height, int width, int lanes, ScratchMemory memory, WorkerPool pool)
    {
        Shape shape = tensor.Shape;
        int blocks = (shape.C + lanes - 1) / lanes, pitch = OddPitch(width);
        var planes = new ChannelPlanes(0, lanes, blocks, height, pitch);
        planes = planes with { Address = (nint)memory.Reserve(shape.N * blocks * planes.PlaneCount) };
        planes.Lay(tensor, top, left, width, pool);
        return planes;
    }

    /// <summary>The same into these planes, as far as <paramref name="width"/> columns.</summary>
    public void Lay(Tensor tensor, int top, int left, int width, WorkerPool pool)
    {
        ChannelPlanes planes = this;
        const int RowsPerItem = 16;
        int parts = (Height + RowsPerItem - 1) / RowsPerItem;
        pool.Run(tensor.Shape.N * Blocks * parts, item =>
        {
            (int index, int part) = Math.DivRem(item, parts);
            (int sample, int block) = Math.DivRem(index, planes.Blocks);
            int lanes = planes.Lanes, end = Math.Min(planes.Height, (part + 1) * RowsPerItem);
            float* row = planes.Plane(sample, block) + (long)part * RowsPerItem * planes.Pitch * lanes;
            for (int y = part * RowsPerItem; y < end; y++, row += planes.Pitch * lanes)
                LayRow(tensor, sample, block * lanes, y - top, left, width, lanes, row);
        });
    }

    private static void LayRow(
        Tensor tensor, int sample, int channel, int y, int left, int width, int lanes, float* target)
    {
        Shape shape = tensor.Shape;
        int from = Math.Max(0, -left), to = Math.Min(shape.W, width - left);
        if (y < 0 || y >= shape.H || to <= from)
        {
            new Span<float>(target, width * lanes).Clear();
            return;
        }

        new Span<float>(target, (from + left) * lanes).Clear();
        new Span<float>(target + (to + left) * lanes, (width - left - to) * lanes).Clear();
        float* source = (float*)tensor.Address + ((long)sample * shape.C + channel) * shape.Plane + (long)y * shape.W;
        target += left * lanes;
        for (int group = 0; group < lanes; group += Step)
        {
            int channels = Math.Min(Step, shape.C - channel - group);
            Interleave(source + group * shape.Plane, shape.Plane, channels, from, to, target + group, lanes);
        }
    }

    /// <summary>Four channels of a row side by side.</summary>
    private static void Interleave(float* source, nint plane, int channels, int from, int to, float* target, nint lanes)
    {
        int x = from;
        if (channels == Step)
        {
            for (; x + Step <= to; x += Step)
            {
                float* at = source + x;
                Vector128<float> a = Vector128.Load(at), b = Vector128.Load(at + plane);
                Vector128<float> c = Vector128.Load(at + 2 * plane), d = Vector128.Load(at + 3 * plane);
                Transposition.Transpose(ref a, ref b, ref c, ref d);
                float* pixel = target + x * lanes;
                a.Store(pixel);
                b.Store(pixel + lanes);
                c.Store(pixel + 2 * lanes);
                d.Store(pixel + 3 * lanes);
            }
        }

        for (; x < to; x++)
            for (int c = 0; c < Step; c++) target[x * lanes + c] = c < channels ? source[c * plane + x] : 0;
    }
}
