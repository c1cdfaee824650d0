using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <summary>A tensor's planes laid out anew with zeros around (padding), between (dilation) or behind the values
/// (pitch), so that the inner loops need no border cases. The memory is kept and grows with the largest use.</summary>
/// <remarks>A few planes behind the last may be read, so that a register tile of channels needs no border case
/// either.</remarks>
internal sealed unsafe class PaddedPlanes : IDisposable
{
    private const int ReadablePlanes = 8;

    private AlignedMemory? _memory;
    private long _capacity;

    /// <summary>Copies value (y, x) to (top + y * step, left + x * step) of planes [height, pitch]; all else is
    /// zero.</summary>
    /// <param name="plane">Floats from one plane to the next, at least height * pitch.</param>
    /// <returns>The planes, in the order of the tensor.</returns>
    public float* Lay(Tensor tensor, int top, int left, int step, int height, int pitch, long plane, WorkerPool pool)
    {
        Shape shape = tensor.Shape;
        long needed = ((long)shape.N * shape.C + ReadablePlanes) * plane;
        if (needed > _capacity)
        {
            _memory?.Dispose();
            _memory = new AlignedMemory(needed * sizeof(float));
            _capacity = needed;
        }

        float* memory = (float*)_memory!.Address;
        pool.Run(shape.N * shape.C, index =>
        {
            float* source = (float*)tensor.Address + (long)index * shape.Plane;
            float* target = memory + index * plane;
            new Span<float>(target, checked((int)plane)).Clear();
            for (int y = 0; y < shape.H; y++, source += shape.W)
            {
                int row = top + y * step;
                if (row < 0 || row >= height) continue;
                LayRow(source, shape.W, left, step, target + (long)row * pitch, pitch);
            }
        });
        return memory;
    }

    public void Dispose() => _memory?.Dispose();

    private static void LayRow(float* source, int width, int left, int step, float* target, int pitch)
    {
        if (step == 1)
        {
            int from = Math.Max(0, -left), to = Math.Min(width, pitch - left);
            if (to <= from) return;
            var inside = new ReadOnlySpan<float>(source + from, to - from);
            inside.CopyTo(new Span<float>(target + left + from, inside.Length));
            return;
        }

        for (int x = 0; x < width; x++)
        {
            int column = left + x * step;
            if (column >= 0 && column < pitch) target[column] = source[x];
        }
    }
}
