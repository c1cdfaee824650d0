using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>The first convolution of a patch description network with rectification and pooling: three channels are too few
/// for a filtering form, so its products are added up directly, and only the pooled map is written.</summary>
internal sealed unsafe class FirstLayer<TKernels> : FusedLayer
    where TKernels : struct, IProductKernels
{
    private readonly Tensor _input;
    private readonly ChannelPlanes _output;
    private readonly int _height, _width, _taps, _panels;
    private int _samples;
    private readonly AlignedMemory _weights, _bias, _offsets;

    /// <param name="input">[n, c, h, w].</param>
    /// <param name="height">Pooled rows.</param>
    /// <param name="width">Pooled columns.</param>
    public FirstLayer(Tensor input, LayerWeights layer, ChannelPlanes output, int height, int width)
    {
        (_input, _output, _height, _width, _samples) = (input, output, height, width, input.Shape.N);
        Shape shape = layer.Shape;
        _taps = (int)shape.SampleCount;
        _panels = (shape.N + 2 * TKernels.Lanes - 1) / (2 * TKernels.Lanes);
        _bias = layer.PaddedBias(TKernels.Lanes);
        _offsets = new AlignedMemory(_taps * sizeof(nint));
        _weights = new AlignedMemory((long)_panels * _taps * 2 * TKernels.Lanes * sizeof(float));
        for (int tap = 0; tap < _taps; tap++)
        {
            (int channel, int rest) = Math.DivRem(tap, shape.Plane);
            (int ky, int kx) = Math.DivRem(rest, shape.W);
            ((nint*)_offsets.Address)[tap] = (nint)channel * input.Shape.Plane + ky * input.Shape.W + kx;
            for (int row = 0; row < shape.N; row++)
            {
                (int panel, int lane) = Math.DivRem(row, 2 * TKernels.Lanes);
                ((float*)_weights.Address)[((long)panel * _taps + tap) * 2 * TKernels.Lanes + lane] = layer.Weights[row * _taps + tap];
            }
        }
    }

    public override string Name => $"direct {_taps} > {2 * TKernels.Lanes * _panels}, pooled";

    public override double Products => 4.0 * Items * _width * _taps * 2 * TKernels.Lanes * _panels;

    /// <summary>One pooled row of one sample.</summary>
    public override int Items => _samples * _height;

    public override long Scratch => 0;

    public override void Take(int samples) => _samples = samples;

    public override void Run(int item, float* scratch)
    {
        (int sample, int y) = Math.DivRem(item, _height);
        int lanes = TKernels.Lanes, step = TKernels.PooledPixels;
        nint pitch = _input.Shape.W, plane = (nint)_output.PlaneCount;
        float* rows = (float*)_input.Address + sample * _input.Shape.SampleCount + 2 * y * pitch;
        for (int panel = 0; panel < _panels; panel++)
        {
            float* target = _output.Plane(sample, 2 * panel) + (nint)y * _output.Pitch * lanes;
            float* weights = (float*)_weights.Address + (nint)panel * _taps * 2 * lanes;
            for (int x = 0; x < _width; x += step)
            {
                // The last windows are computed again rather than fewer.
                int first = Math.Max(0, Math.Min(x, _width - step));
                TKernels.ConvolveAndPool(
                    rows + 2 * first, pitch, (nint*)_offsets.Address, _taps, weights,
                    (float*)_bias.Address + panel * 2 * lanes, target + first * lanes, plane,
                    null, 0, 0);
            }
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        foreach (AlignedMemory memory in new[] { _weights, _bias, _offsets }) memory.Dispose();
    }
}
