using System.Runtime.CompilerServices;
using EfficientAD.Backends.Cpu.Filtering;

namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>Puts tiles into channel planes as they are.</summary>
internal readonly unsafe struct GradientSink<TVector, TLanes>(
    ChannelPlanes output, int channels, int height, int width) : ITileSink
    where TLanes : struct, ILanes<TVector>
{
    private readonly ChannelPlanes _output = output;
    private readonly int _height = height, _width = width;

    public int Channels { get; } = channels;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Store(float* tile, int size, int lanes, int channel, (int Sample, int Row, int Column) at)
    {
        int top = at.Row * size, left = at.Column * size;
        int rows = Math.Min(size, _height - top), columns = Math.Min(size, _width - left);
        float* target = _output.Plane(at.Sample, channel / lanes) + ((nint)top * _output.Pitch + left) * lanes;
        for (int y = 0; y < rows; y++, target += _output.Pitch * lanes)
            for (int x = 0; x < columns; x++)
                TLanes.Store(TLanes.Load(tile + (y * size + x) * lanes), target + x * lanes);
    }
}
