using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>The first convolution of a patch description network with rectification and pooling: three channels are too
/// few for a filtering form, so its products are added up directly, and only the pooled map is written.</summary>
/// <remarks>Of a grey image it reads one plane, by weights summed over the colours: a third of the products.</remarks>
internal sealed unsafe class FirstLayer<TKernels> : FusedLayer
    where TKernels : struct, IProductKernels
{
    private readonly Tensor _input;
    private readonly ChannelPlanes _output;
    private readonly int _height, _width, _taps, _panels;
    private readonly bool[] _isGrey;
    private readonly AlignedMemory _weights, _bias, _greyWeights, _greyBias, _offsets;
    private int _samples;

    /// <param name="input">[n, c, h, w].</param>
    /// <param name="isGrey">Which images of the batch are grey; read at every run.</param>
    /// <param name="height">Pooled rows.</param>
    /// <param name="width">Pooled columns.</param>
    public FirstLayer(Tensor input, bool[] isGrey, LayerWeights layer, ChannelPlanes output, int height, int width)
    {
        (_input, _isGrey, _output, _height, _width, _samples) = (input, isGrey, output, height, width, input.Shape.N);
        Shape shape = layer.Shape;
        _taps = (int)shape.SampleCount;
        _panels = (shape.N + 2 * TKernels.Lanes - 1) / (2 * TKernels.Lanes);
        LayerWeights grey = layer.ForGrey();
        (_bias, _greyBias) = (layer.PaddedBias(TKernels.Lanes), grey.PaddedBias(TKernels.Lanes));
        (_weights, _greyWeights) = (Pack(layer), Pack(grey));
        _offsets = new AlignedMemory(_taps * sizeof(nint));
        for (int tap = 0; tap < _taps; tap++)
        {
            (int channel, int rest) = Math.DivRem(tap, shape.Plane);
            (int ky, int kx) = Math.DivRem(rest, shape.W);
            ((nint*)_offsets.Address)[tap] = (nint)channel * input.Shape.Plane + ky * input.Shape.W + kx;
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
        bool isGrey = _isGrey[sample];
        int taps = isGrey ? _taps / _input.Shape.C : _taps;
        float* allWeights = (float*)(isGrey ? _greyWeights : _weights).Address;
        float* bias = (float*)(isGrey ? _greyBias : _bias).Address;
        int lanes = TKernels.Lanes, step = TKernels.PooledPixels;
        nint pitch = _input.Shape.W, plane = (nint)_output.PlaneCount;
        float* rows = (float*)_input.Address + sample * _input.Shape.SampleCount + 2 * y * pitch;
        for (int panel = 0; panel < _panels; panel++)
        {
            float* target = _output.Plane(sample, 2 * panel) + (nint)y * _output.Pitch * lanes;
            float* weights = allWeights + (nint)panel * taps * 2 * lanes;
            for (int x = 0; x < _width; x += step)
            {
                // The last windows are computed again rather than fewer.
                int first = Math.Max(0, Math.Min(x, _width - step));
                TKernels.ConvolveAndPool(
                    rows + 2 * first, pitch, (nint*)_offsets.Address, taps, weights,
                    bias + panel * 2 * lanes, target + first * lanes, plane,
                    null, 0, 0);
            }
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        foreach (AlignedMemory memory in new[] { _weights, _bias, _greyWeights, _greyBias, _offsets }) memory.Dispose();
    }

    /// <summary>[panel][tap][row of the panel].</summary>
    private AlignedMemory Pack(LayerWeights layer)
    {
        int taps = (int)layer.Shape.SampleCount, panelRows = 2 * TKernels.Lanes;
        var packed = new AlignedMemory((long)_panels * taps * panelRows * sizeof(float));
        ReadOnlySpan<float> weights = layer.Values;
        for (int row = 0; row < layer.Shape.N; row++)
        {
            (int panel, int lane) = Math.DivRem(row, panelRows);
            for (int tap = 0; tap < taps; tap++)
                ((float*)packed.Address)[(panel * taps + tap) * panelRows + lane] = weights[row * taps + tap];
        }

        return packed;
    }
}
