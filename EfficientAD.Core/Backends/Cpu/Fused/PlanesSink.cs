using System.Runtime.CompilerServices;
using EfficientAD.Backends.Cpu.Filtering;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>Puts tiles into channel planes: bias, rectification, perhaps the mean over windows of 2 x 2.</summary>
/// <param name="height">Outputs before pooling, even where there is pooling.</param>
/// <param name="width">Outputs before pooling, even where there is pooling.</param>
internal readonly unsafe struct PlanesSink<TVector, TLanes>(
    ChannelPlanes output, nint bias, int channels, int height, int width, bool pool) : ITileSink
    where TLanes : struct, ILanes<TVector>
{
    private readonly ChannelPlanes _output = output;
    private readonly nint _bias = bias;
    private readonly int _height = height, _width = width;
    private readonly bool _pool = pool;

    public int Channels { get; } = channels;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Store(float* tile, int size, int lanes, int channel, (int Sample, int Row, int Column) at)
    {
        int top = at.Row * size, left = at.Column * size;
        int rows = Math.Min(size, _height - top), columns = Math.Min(size, _width - left);
        float* plane = _output.Plane(at.Sample, channel / lanes);
        TVector bias = TLanes.Load((float*)_bias + channel);
        nint pitch = _output.Pitch * lanes;
        if (_pool)
        {
            StorePooled(tile, size * lanes, rows, columns, bias, plane + top / 2 * pitch + left / 2 * lanes, pitch);
            return;
        }

        for (int y = 0; y < rows; y++)
        {
            float* source = tile + y * size * lanes, target = plane + (top + y) * pitch + left * lanes;
            for (int x = 0; x < columns; x++, source += lanes, target += lanes)
                TLanes.Store(TLanes.Rectify(TLanes.Add(TLanes.Load(source), bias)), target);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePooled(float* tile, nint tilePitch, int rows, int columns, TVector bias, float* target, nint pitch)
    {
        TVector quarter = TLanes.Broadcast(0.25f);
        for (int y = 0; y < rows; y += 2, tile += 2 * tilePitch, target += pitch)
            for (int x = 0; x < columns; x += 2)
            {
                float* corner = tile + x * TLanes.Width;
                TVector upper = TLanes.Add(Rectified(corner, bias), Rectified(corner + TLanes.Width, bias));
                corner += tilePitch;
                TVector lower = TLanes.Add(Rectified(corner, bias), Rectified(corner + TLanes.Width, bias));
                TLanes.Store(TLanes.Multiply(TLanes.Add(upper, lower), quarter), target + x / 2 * TLanes.Width);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Rectified(float* source, TVector bias) => TLanes.Rectify(TLanes.Add(TLanes.Load(source), bias));
}
