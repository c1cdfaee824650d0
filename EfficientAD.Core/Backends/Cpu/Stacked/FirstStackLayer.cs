using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>The first layer, pooled, with kernels four wide: three channels are too few for a filtering form, so its
/// products are added up directly. Only pooled values and signs are written, and only those are read again.</summary>
internal sealed unsafe class FirstStackLayer<TKernels, TVector, TLanes> : StackLayer
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    public const int KernelWidth = 4;

    // Pooled rows whose weight gradients are one sum; fixed, so that the sums are the same for any number of threads.
    private const int RowsPerStrip = 16;

    private readonly StackedLayer _layer;
    private readonly Tensor _input;
    private readonly Activations _output;
    private readonly WorkerPool _pool;
    private readonly int _taps, _tapBlocks, _panels, _strips;
    private readonly AlignedMemory _weights, _offsets, _sums, _scratch;
    private readonly double[] _biasSums;

    public FirstStackLayer(StackedLayer layer, Tensor input, Activations output, WorkerPool pool)
    {
        (_layer, _input, _output, _pool) = (layer, input, output, pool);
        Shape shape = layer.Weights.Shape;
        int lanes = TKernels.Lanes;
        _taps = (int)shape.SampleCount;
        _tapBlocks = (_taps + lanes - 1) / lanes;
        _panels = (shape.N + 2 * lanes - 1) / (2 * lanes);
        _strips = (output.Height + RowsPerStrip - 1) / RowsPerStrip;
        _weights = new AlignedMemory((long)_panels * _taps * 2 * lanes * sizeof(float));
        _offsets = new AlignedMemory(_taps * sizeof(nint));
        for (int tap = 0; tap < _taps; tap++)
        {
            (int channel, int rest) = Math.DivRem(tap, shape.Plane);
            (int ky, int kx) = Math.DivRem(rest, shape.W);
            ((nint*)_offsets.Address)[tap] = (nint)channel * input.Shape.Plane + ky * input.Shape.W + kx;
        }

        bool isTrained = layer.WeightGradient is not null;
        int items = isTrained ? input.Shape.N * _strips : 0;
        _sums = new AlignedMemory((long)items * StripSums * sizeof(float));
        _scratch = new AlignedMemory(isTrained ? (long)pool.Threads * Scratch * sizeof(float) : 0);
        _biasSums = new double[items * _panels * 2 * lanes];
    }

    private int StripSums => _panels * _tapBlocks * TKernels.Lanes * 2 * TKernels.Lanes;

    /// <summary>Floats of a row of patches and of a row of gradients.</summary>
    private int Scratch => (_tapBlocks + 2) * _output.FullWidth * TKernels.Lanes;

    public override void Forward()
    {
        PackWeights();
        _pool.Run(_input.Shape.N * _output.Height, item =>
        {
            (int sample, int y) = Math.DivRem(item, _output.Height);
            int lanes = TKernels.Lanes, step = TKernels.PooledPixels;
            ChannelPlanes planes = _output.Values;
            SignPlanes signs = _output.Signs;
            float* pixels = (float*)_input.Address + sample * _input.Shape.SampleCount + 2 * (nint)y * _input.Shape.W;
            for (int panel = 0; panel < _panels; panel++)
            {
                float* target = planes.Plane(sample, 2 * panel) + (nint)y * planes.Pitch * lanes;
                float* weights = (float*)_weights.Address + (nint)panel * _taps * 2 * lanes;
                ushort* marks = signs.Address == 0 ? null : signs.Row(sample, 2 * panel, 2 * y);
                for (int x = 0; x < _output.Width; x += step)
                {
                    // The last windows are computed again rather than fewer.
                    int first = Math.Min(x, _output.Width - step);
                    TKernels.ConvolveAndPool(
                        pixels + 2 * first, _input.Shape.W, (nint*)_offsets.Address, _taps, weights,
                        (float*)_layer.Bias.Address + panel * 2 * lanes, target + first * lanes,
                        (nint)planes.PlaneCount,
                        marks == null ? null : marks + 2 * first, signs.Width, (nint)signs.Height * signs.Width);
                }
            }
        });
    }

    /// <remarks>Row by row a matrix product, [taps x pixels] x [pixels x output channels].</remarks>
    public override void WeightGradient()
    {
        _pool.Run(_input.Shape.N * _strips, (item, worker) =>
        {
            (int sample, int strip) = Math.DivRem(item, _strips);
            float* patches = (float*)_scratch.Address + (long)worker * Scratch;
            float* sums = (float*)_sums.Address + (long)item * StripSums;
            new Span<float>(sums, StripSums).Clear();
            Span<double> biasSums = _biasSums.AsSpan(item * _panels * 2 * TKernels.Lanes, _panels * 2 * TKernels.Lanes);
            biasSums.Clear();
            int end = Math.Min(_output.FullHeight, 2 * RowsPerStrip * (strip + 1));
            for (int y = 2 * RowsPerStrip * strip; y < end; y++) AddRow(sample, y, patches, sums, biasSums);
        });
        AddSums();
    }

    public override void InputGradient() =>
        throw new NotSupportedException("The first layer's input is an image: nobody asks for its gradient.");

    public override void Dispose()
    {
        foreach (AlignedMemory memory in new[] { _weights, _offsets, _sums, _scratch }) memory.Dispose();
    }

    private void PackWeights()
    {
        float* source = (float*)_layer.Weights.Address, target = (float*)_weights.Address;
        int panel = 2 * TKernels.Lanes;
        for (int row = 0; row < _layer.Weights.Shape.N; row++)
            for (int tap = 0; tap < _taps; tap++)
                target[((row / panel * _taps) + tap) * panel + row % panel] = source[row * _taps + tap];
    }

    private void AddRow(int sample, int y, float* patches, float* sums, Span<double> biasSums)
    {
        int lanes = TKernels.Lanes, width = _output.FullWidth;
        LayPatches(sample, y, patches);
        float* columns = patches + _tapBlocks * width * lanes;
        var gradient = new RectifiedGradient<TVector, TLanes>(
            _output.Gradient, _output.Signs, _output.FullHeight, width, isPooled: true, margin: 0);
        for (int panel = 0; panel < _panels; panel++)
        {
            for (int half = 0; half < 2; half++)
            {
                int block = 2 * panel + half;
                gradient.Row(sample, block, y, columns + half * lanes, 2 * lanes, biasSums.Slice(block * lanes, lanes));
            }

            for (int block = 0; block < _tapBlocks; block++)
                for (int row = 0; row < lanes; row += TKernels.GradientRows, sums += TKernels.GradientRows * 2 * lanes)
                    TKernels.Correlate(
                        patches + block * width * lanes + row, columns, width, sums,
                        patches + (block + 1) * width * lanes + row);
        }
    }

    /// <summary>What each tap sees along a row of outputs: [tap block][pixel][lane].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void LayPatches(int sample, int y, float* patches)
    {
        int lanes = TKernels.Lanes, width = _output.FullWidth;
        float* pixels = (float*)_input.Address + sample * _input.Shape.SampleCount + (nint)y * _input.Shape.W;
        for (int tap = 0; tap < _taps; tap += KernelWidth)
        {
            float* source = pixels + ((nint*)_offsets.Address)[tap];
            float* target = patches + tap / lanes * width * lanes + tap % lanes;
            for (int x = 0; x < width; x++) Vector128.Load(source + x).Store(target + x * lanes);
        }
    }

    private void AddSums()
    {
        int lanes = TKernels.Lanes, items = _input.Shape.N * _strips;
        _pool.Run(_layer.Weights.Shape.N, channel =>
        {
            (int panel, int lane) = Math.DivRem(channel, 2 * lanes);
            float* gradient = (float*)_layer.WeightGradient!.Address + (nint)channel * _taps;
            for (int tap = 0; tap < _taps; tap++)
            {
                float* sum = (float*)_sums.Address + (panel * _tapBlocks * lanes + tap) * 2 * lanes + lane;
                double total = 0;
                for (int item = 0; item < items; item++) total += sum[(long)item * StripSums];
                gradient[tap] += (float)total;
            }

            double bias = 0;
            for (int item = 0; item < items; item++) bias += _biasSums[item * _panels * 2 * lanes + channel];
            ((float*)_layer.BiasGradient!.Address)[channel] += (float)bias;
        });
    }
}
