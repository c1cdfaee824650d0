using System.Runtime.CompilerServices;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Detection;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>Bilinear interpolation between channel planes; columns first, then rows, as PyTorch rounds.</summary>
/// <param name="window">Where the output is a part of what the input lies over.</param>
internal sealed unsafe class ResizeLayer<TKernels, TVector, TLanes>(
    ChannelPlanes input, (int Height, int Width) from, ChannelPlanes output, (int Height, int Width) to, int samples,
    FeatureWindow? window = null) : FusedLayer
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    private const int RowsPerItem = 16;

    private int _samples = samples;
    private BilinearTaps _rows = new(from.Height, to.Height), _columns = new(from.Width, to.Width);

    public override string Name => $"resize {from.Height} > {to.Height}";

    public override int Items => _samples * input.Blocks * Parts;

    public override long Scratch => 0;

    public override void Take(int samples)
    {
        _samples = samples;
        if (window is null) return;
        ((float rowScale, float rowOffset), (float scale, float offset)) =
            (window.Rows(from.Height), window.Columns(from.Width));
        _rows = new BilinearTaps(from.Height, to.Height, rowScale, rowOffset);
        _columns = new BilinearTaps(from.Width, to.Width, scale, offset);
    }

    private int Parts => (to.Height + RowsPerItem - 1) / RowsPerItem;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(int item, float* scratch)
    {
        (int index, int part) = Math.DivRem(item, Parts);
        (int sample, int block) = Math.DivRem(index, input.Blocks);
        nint lanes = TKernels.Lanes;
        for (int y = part * RowsPerItem; y < Math.Min(to.Height, (part + 1) * RowsPerItem); y++)
        {
            float* low = input.Plane(sample, block) + _rows.Low[y] * input.Pitch * lanes;
            float* high = input.Plane(sample, block) + _rows.High[y] * input.Pitch * lanes;
            float* target = output.Plane(sample, block) + y * output.Pitch * lanes;
            TVector lowShare = TLanes.Broadcast(1 - _rows.Fraction[y]), highShare = TLanes.Broadcast(_rows.Fraction[y]);
            for (int x = 0; x < to.Width; x++, target += lanes)
            {
                nint left = _columns.Low[x] * lanes, right = _columns.High[x] * lanes;
                TVector leftShare = TLanes.Broadcast(1 - _columns.Fraction[x]);
                TVector rightShare = TLanes.Broadcast(_columns.Fraction[x]);
                TVector upper = Blend(leftShare, TLanes.Load(low + left), rightShare, TLanes.Load(low + right));
                TVector lower = Blend(leftShare, TLanes.Load(high + left), rightShare, TLanes.Load(high + right));
                TLanes.Store(Blend(lowShare, upper, highShare, lower), target);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Blend(TVector share, TVector value, TVector otherShare, TVector other) =>
        TLanes.MultiplyAdd(otherShare, other, TLanes.Multiply(share, value));
}
