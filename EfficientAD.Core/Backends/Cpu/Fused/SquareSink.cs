using System.Runtime.CompilerServices;
using EfficientAD.Backends.Cpu.Filtering;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>Squares a difference of features and sums it over the channels of a block: no feature map is ever
/// written.</summary>
/// <param name="sums">[channel block][height][width] of each sample, overwritten.</param>
/// <param name="minuend">What the outputs are subtracted from; without an address they are the difference.</param>
internal readonly unsafe struct SquareSink<TVector, TLanes>(
    nint sums, ChannelPlanes minuend, nint bias, int channels, int height, int width) : ITileSink
    where TLanes : struct, ILanes<TVector>
{
    private readonly ChannelPlanes _minuend = minuend;
    private readonly nint _sums = sums, _bias = bias;
    private readonly int _height = height, _width = width;

    public int Channels { get; } = channels;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Store(float* tile, int size, int lanes, int channel, (int Sample, int Row, int Column) at)
    {
        int top = at.Row * size, left = at.Column * size, block = channel / lanes;
        int rows = Math.Min(size, _height - top), columns = Math.Min(size, _width - left);
        TVector bias = TLanes.Load((float*)_bias + channel);
        int blocks = (Channels + lanes - 1) / lanes;
        float* sums = (float*)_sums + ((nint)at.Sample * blocks + block) * _height * _width;
        for (int y = 0; y < rows; y++)
        {
            float* source = tile + y * size * lanes, target = sums + (top + y) * _width + left;
            float* minuend = _minuend.Address == 0
                ? null
                : _minuend.Plane(at.Sample, block) + ((top + y) * _minuend.Pitch + left) * lanes;
            for (int x = 0; x < columns; x++, source += lanes)
            {
                TVector difference = TLanes.Add(TLanes.Load(source), bias);
                if (minuend != null) difference = TLanes.Subtract(TLanes.Load(minuend + x * lanes), difference);
                target[x] = TLanes.Sum(TLanes.Multiply(difference, difference));
            }
        }
    }
}
