using System.Runtime.CompilerServices;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Backends.Cpu.Stacked;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>Puts tiles into channel planes: bias, perhaps rectification, perhaps the mean over windows of 2 x
/// 2.</summary>
/// <param name="height">Outputs before pooling, even where there is pooling.</param>
/// <param name="width">Outputs before pooling, even where there is pooling.</param>
/// <param name="signs">Of the rectified outputs before pooling, written where it has an address.</param>
internal readonly unsafe struct PlanesSink<TVector, TLanes>(
    ChannelPlanes output, nint bias, int channels, int height, int width, bool pool, bool relu = true,
    SignPlanes signs = default) : ITileSink
    where TLanes : struct, ILanes<TVector>
{
    private readonly ChannelPlanes _output = output;
    private readonly nint _bias = bias;
    private readonly int _height = height, _width = width;
    private readonly bool _pool = pool, _relu = relu;
    private readonly SignPlanes _signs = signs;

    public int Channels { get; } = channels;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Store(float* tile, int size, int lanes, int channel, (int Sample, int Row, int Column) at)
    {
        int top = at.Row * size, left = at.Column * size;
        int rows = Math.Min(size, _height - top), columns = Math.Min(size, _width - left);
        float* plane = _output.Plane(at.Sample, channel / lanes);
        TVector bias = TLanes.Load((float*)_bias + channel);
        nint pitch = _output.Pitch * lanes;
        ushort* signs = _signs.Address == 0 ? null : _signs.Row(at.Sample, channel / lanes, top) + left;
        if (_pool)
        {
            float* pooled = plane + top / 2 * pitch + left / 2 * lanes;
            StorePooled(tile, size * lanes, rows, columns, bias, pooled, pitch, signs, _signs.Width);
            return;
        }

        for (int y = 0; y < rows; y++)
        {
            float* source = tile + y * size * lanes, target = plane + (top + y) * pitch + left * lanes;
            for (int x = 0; x < columns; x++, source += lanes, target += lanes)
            {
                TVector value = _relu ? Rectified(source, bias) : TLanes.Add(TLanes.Load(source), bias);
                TLanes.Store(value, target);
                if (signs != null) signs[y * _signs.Width + x] = (ushort)TLanes.NonZero(value);
            }
        }
    }

    /// <summary>Single outputs, a panel apart, where nothing is pooled and no signs are kept.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Store(float* outputs, int channel, (int Sample, int Row, int Column)* places, int count)
    {
        TVector bias = TLanes.Load((float*)_bias + channel);
        for (int i = 0; i < count; i++, outputs += 2 * TLanes.Width)
        {
            float* target = _output.Plane(places[i].Sample, channel / TLanes.Width)
                + ((nint)places[i].Row * _output.Pitch + places[i].Column) * TLanes.Width;
            TLanes.Store(_relu ? Rectified(outputs, bias) : TLanes.Add(TLanes.Load(outputs), bias), target);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePooled(
        float* tile, nint tilePitch, int rows, int columns, TVector bias, float* target, nint pitch, ushort* signs,
        nint signPitch)
    {
        TVector quarter = TLanes.Broadcast(0.25f);
        for (int y = 0; y < rows; y += 2, tile += 2 * tilePitch, target += pitch)
            for (int x = 0; x < columns; x += 2)
            {
                float* upper = tile + x * TLanes.Width, lower = upper + tilePitch;
                TVector a = Rectified(upper, bias), b = Rectified(upper + TLanes.Width, bias);
                TVector c = Rectified(lower, bias), d = Rectified(lower + TLanes.Width, bias);
                TVector sum = TLanes.Add(TLanes.Add(a, b), TLanes.Add(c, d));
                TLanes.Store(TLanes.Multiply(sum, quarter), target + x / 2 * TLanes.Width);
                if (signs == null) continue;
                ushort* corner = signs + y * signPitch + x;
                (corner[0], corner[1]) = ((ushort)TLanes.NonZero(a), (ushort)TLanes.NonZero(b));
                (corner[signPitch], corner[signPitch + 1]) = ((ushort)TLanes.NonZero(c), (ushort)TLanes.NonZero(d));
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Rectified(float* source, TVector bias) =>
        TLanes.Rectify(TLanes.Add(TLanes.Load(source), bias));
}
