using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>Puts tiles of channel vectors into the planes of a tensor, with bias and rectification.</summary>
internal readonly unsafe struct TensorSink(Tensor output, nint bias, bool relu, bool accumulate) : ITileSink
{
    private const int Quad = 4, Pair = 2;

    private readonly nint _output = output.Address, _bias = bias;
    private readonly Shape _shape = output.Shape;
    private readonly bool _relu = relu, _accumulate = accumulate;

    public int Channels => _shape.C;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Store(float* tile, int size, int lanes, int channel, (int Sample, int Row, int Column) at)
    {
        int top = at.Row * size, left = at.Column * size;
        int rows = Math.Min(size, _shape.H - top), columns = Math.Min(size, _shape.W - left);
        nint plane = _shape.Plane, width = _shape.W;
        float* target = (float*)_output + ((long)at.Sample * _shape.C + channel) * plane + top * width + left;
        for (int group = 0; group < lanes && channel + group < _shape.C; group += Quad, target += Quad * plane)
        {
            int channels = Math.Min(Quad, _shape.C - channel - group);
            Vector128<float> start = _bias == 0 ? Vector128<float>.Zero : Bias(channel + group, channels);
            for (int y = 0; y < rows; y++)
            {
                float* pixels = tile + y * size * lanes + group, row = target + y * width;
                int x = 0;
                if (channels == Quad)
                {
                    for (; x + Quad <= columns; x += Quad) StoreQuad(pixels + x * lanes, lanes, start, row + x, plane);
                    for (; x + Pair <= columns; x += Pair) StorePair(pixels + x * lanes, lanes, start, row + x, plane);
                }

                for (; x < columns; x++)
                    for (int c = 0; c < channels; c++)
                        StoreOne(pixels[x * lanes + c] + start[c], row + c * plane + x);
            }
        }
    }

    private Vector128<float> Bias(int channel, int channels)
    {
        float* values = (float*)_bias + channel;
        if (channels == Quad) return Vector128.Load(values);
        Vector128<float> result = Vector128<float>.Zero;
        for (int c = 0; c < channels; c++) result = result.WithElement(c, values[c]);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void StoreQuad(float* pixels, nint lanes, Vector128<float> start, float* row, nint plane)
    {
        Vector128<float> a = Vector128.Load(pixels) + start, b = Vector128.Load(pixels + lanes) + start;
        Vector128<float> c = Vector128.Load(pixels + 2 * lanes) + start, d = Vector128.Load(pixels + 3 * lanes) + start;
        if (_relu) (a, b, c, d) = (Rectify(a), Rectify(b), Rectify(c), Rectify(d));
        Transposition.Transpose(ref a, ref b, ref c, ref d);
        if (_accumulate)
        {
            a += Vector128.Load(row);
            b += Vector128.Load(row + plane);
            c += Vector128.Load(row + 2 * plane);
            d += Vector128.Load(row + 3 * plane);
        }

        a.Store(row);
        b.Store(row + plane);
        c.Store(row + 2 * plane);
        d.Store(row + 3 * plane);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void StorePair(float* pixels, nint lanes, Vector128<float> start, float* row, nint plane)
    {
        Vector128<float> first = Vector128.Load(pixels) + start, second = Vector128.Load(pixels + lanes) + start;
        if (_relu) (first, second) = (Rectify(first), Rectify(second));
        Vector128<float> low = Transposition.ZipLow(first, second), high = Transposition.ZipHigh(first, second);
        StoreHalf(low.GetLower(), row);
        StoreHalf(low.GetUpper(), row + plane);
        StoreHalf(high.GetLower(), row + 2 * plane);
        StoreHalf(high.GetUpper(), row + 3 * plane);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void StoreHalf(Vector64<float> values, float* row) =>
        (_accumulate ? Vector64.Load(row) + values : values).Store(row);

    private void StoreOne(float value, float* target)
    {
        if (_relu && value < 0) value = 0;
        *target = _accumulate ? *target + value : value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Rectify(Vector128<float> value) => Vector128.Max(value, Vector128<float>.Zero);
}
