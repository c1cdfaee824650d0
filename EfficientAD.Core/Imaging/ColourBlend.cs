using System.Numerics;
using System.Runtime.InteropServices;

namespace EfficientAD.Imaging;

/// <summary>A <see cref="ColourAdjustment"/> made ready for one image: every sample moves from a base value (black, the
/// mean luma, or the pixel's own luma) by the factor, is clipped to [0, 255] and truncated, as in Pillow's
/// blend.</summary>
/// <remarks>Works on rows of <see cref="PixelRow"/> in blocks of <see cref="Vector{T}.Count"/> pixels; their length
/// must be a multiple of it.</remarks>
internal readonly struct ColourBlend
{
    private readonly ColourAdjustmentKind _kind;
    private readonly float _factor;
    private readonly int _base;

    /// <param name="row">Room for a row of the image, for passing over it.</param>
    public ColourBlend(ImageView image, ColourAdjustment adjustment, Span<uint> row)
    {
        adjustment.RequireFiniteFactor();
        _kind = adjustment.Kind;
        _factor = adjustment.Factor;
        _base = _kind == ColourAdjustmentKind.Contrast ? MeanLuma(image, row) : 0;
    }

    public bool ChangesNothing => _kind == ColourAdjustmentKind.None;

    /// <summary>Adjusts a row in place.</summary>
    public void Apply(Span<uint> row)
    {
        if (ChangesNothing) return;
        foreach (ref Vector<uint> pixels in MemoryMarshal.Cast<uint, Vector<uint>>(row))
        {
            if (_kind == ColourAdjustmentKind.Grey)
            {
                pixels = Luma(pixels) * new Vector<uint>(0x010101);
                continue;
            }
            Vector<int> towards = _kind == ColourAdjustmentKind.Saturation
                ? Vector.AsVectorInt32(Luma(pixels))
                : new Vector<int>(_base);
            Vector<uint> red = Move(towards, Sample(pixels, 0));
            Vector<uint> green = Move(towards, Sample(pixels, 8));
            Vector<uint> blue = Move(towards, Sample(pixels, 16));
            pixels = red | green << 8 | blue << 16;
        }
    }

    /// <summary>int(mean + 0.5) of the luma.</summary>
    private static int MeanLuma(ImageView image, Span<uint> row)
    {
        long sum = 0;
        row.Clear();
        for (int y = 0; y < image.Height; y++)
        {
            PixelRow.Unpack(image.Row(y), image.Format, row);
            Vector<uint> rowSum = Vector<uint>.Zero;
            foreach (Vector<uint> pixels in MemoryMarshal.Cast<uint, Vector<uint>>(row)) rowSum += Luma(pixels);
            sum += Vector.Sum(rowSum);
        }
        return (int)((double)sum / ((long)image.Width * image.Height) + 0.5);
    }

    /// <summary>ITU-R 601 luma in 16-bit fixed point, rounded.</summary>
    private static Vector<uint> Luma(Vector<uint> pixels) =>
        (Sample(pixels, 0) * new Vector<uint>(19595) + Sample(pixels, 8) * new Vector<uint>(38470)
            + Sample(pixels, 16) * new Vector<uint>(7471) + new Vector<uint>(0x8000)) >>> 16;

    private static Vector<uint> Sample(Vector<uint> pixels, int shift) => (pixels >>> shift) & new Vector<uint>(0xFF);

    // A product and a sum, each rounded to float32, as Pillow's builds for x86-64 compute it; never fused.
    private Vector<uint> Move(Vector<int> from, Vector<uint> sample)
    {
        Vector<float> difference = Vector.ConvertToSingle(Vector.AsVectorInt32(sample) - from);
        Vector<float> moved = Vector.ConvertToSingle(from) + difference * _factor;
        moved = Vector.Min(Vector.Max(moved, Vector<float>.Zero), new Vector<float>(255));
        return Vector.AsVectorUInt32(Vector.ConvertToInt32(moved));
    }
}
