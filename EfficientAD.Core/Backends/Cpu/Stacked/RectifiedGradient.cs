using System.Runtime.CompilerServices;
using EfficientAD.Backends.Cpu.Filtering;

namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>The gradient of a convolution's outputs, from the gradient of what rectification and pooling made of them.
/// It is put together tile by tile: written out it would be four times as large, and read twice.</summary>
/// <param name="gradient">After pooling.</param>
/// <param name="signs">Of the rectified outputs, before pooling; without an address they were applied before.</param>
/// <param name="height">Outputs before pooling; beyond them the gradient is zero.</param>
/// <param name="width">Outputs before pooling.</param>
/// <param name="margin">How far the tiles reach out before the first output.</param>
internal readonly unsafe struct RectifiedGradient<TVector, TLanes>(
    ChannelPlanes gradient, SignPlanes signs, int height, int width, bool isPooled, int margin) : ITileSource
    where TLanes : struct, ILanes<TVector>
{
    private readonly ChannelPlanes _gradient = gradient;
    private readonly SignPlanes _signs = signs;
    private readonly int _height = height, _width = width, _margin = margin;
    private readonly bool _isPooled = isPooled;

    public int Blocks => _gradient.Blocks;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public float* Tile(int sample, int block, int top, int left, int extent, float* scratch, out nint pitch)
    {
        (top, left, pitch) = (top - _margin, left - _margin, extent * TLanes.Width);
        int from = Math.Max(0, -left), to = Math.Max(from, Math.Min(extent, _width - left));
        float* plane = _gradient.Plane(sample, block), row = scratch;
        for (int y = top; y < top + extent; y++, row += pitch)
        {
            if (y < 0 || y >= _height)
            {
                Clear(row, 0, extent);
                continue;
            }

            Clear(row, 0, from);
            Clear(row, to, extent);
            ushort* signs = _signs.Address == 0 ? null : _signs.Row(sample, block, y) + left;
            if (_isPooled) Spread(plane + y / 2 * _gradient.Pitch * TLanes.Width, left, from, to, signs, row);
            else Copy(plane + ((nint)y * _gradient.Pitch + left) * TLanes.Width, from, to, signs, row);
        }

        return scratch;
    }

    /// <summary>A whole row of a pooled layer, vectors <paramref name="step"/> floats apart, and its sum per channel,
    /// added up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Row(int sample, int block, int y, float* target, nint step, Span<double> sums)
    {
        float* gradient = _gradient.Plane(sample, block) + y / 2 * _gradient.Pitch * TLanes.Width;
        ushort* signs = _signs.Row(sample, block, y);
        TVector quarter = TLanes.Broadcast(0.25f), total = TLanes.Zero;
        for (int x = 0; x < _width; x++, target += step)
        {
            TVector value = TLanes.Multiply(TLanes.Load(gradient + x / 2 * TLanes.Width), quarter);
            value = TLanes.Keep(value, signs[x]);
            total = TLanes.Add(total, value);
            TLanes.Store(value, target);
        }

        float* lanes = stackalloc float[TLanes.Width];
        TLanes.Store(total, lanes);
        for (int lane = 0; lane < TLanes.Width; lane++) sums[lane] += lanes[lane];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread(float* gradient, int left, int from, int to, ushort* signs, float* target)
    {
        TVector quarter = TLanes.Broadcast(0.25f);
        for (int x = from; x < to; x++)
        {
            TVector value = TLanes.Multiply(TLanes.Load(gradient + (left + x) / 2 * TLanes.Width), quarter);
            TLanes.Store(TLanes.Keep(value, signs[x]), target + x * TLanes.Width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* gradient, int from, int to, ushort* signs, float* target)
    {
        for (int x = from; x < to; x++)
        {
            TVector value = TLanes.Load(gradient + x * TLanes.Width);
            TLanes.Store(signs == null ? value : TLanes.Keep(value, signs[x]), target + x * TLanes.Width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Clear(float* row, int from, int to)
    {
        for (int x = from; x < to; x++) TLanes.Store(TLanes.Zero, row + x * TLanes.Width);
    }
}
