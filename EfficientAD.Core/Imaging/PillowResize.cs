using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace EfficientAD.Imaging;

/// <summary>Resizes 8-bit images to the same bits as Pillow's <c>Image.resize(size, BILINEAR)</c>: a triangle filter
/// that widens with the shrink factor, horizontal pass first, rounded to 8 bits between the passes.</summary>
/// <remarks>Built once for a pair of sizes and used for many images; allocates nothing after that. Not thread-safe: one
/// instance per thread (its buffers are a few rows).</remarks>
public sealed class PillowResize
{
    private const int RoundingBias = 1 << (TriangleFilter.FractionBits - 1);

    private readonly int _sourceHeight, _sourceWidth, _height, _width;
    private readonly TriangleFilter _horizontal, _vertical;
    private readonly uint[] _sourceRow;    // one row of the image
    private readonly byte[] _resizedRows;  // a ring of rows after the horizontal pass, as many as the vertical needs
    private readonly byte[] _outputRow;
    private readonly int _pitch;           // bytes from one row of the ring to the next

    public PillowResize(int sourceHeight, int sourceWidth, int targetHeight, int targetWidth)
        : this(sourceHeight, sourceWidth, targetHeight, targetWidth, 0, 0, targetHeight, targetWidth) { }

    /// <summary>As the other constructor, but only a window of the target is computed.</summary>
    internal PillowResize(
        int sourceHeight, int sourceWidth, int targetHeight, int targetWidth, int top, int left, int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sourceHeight, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(sourceWidth, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(targetHeight, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(targetWidth, 1);
        if (top < 0 || left < 0 || height < 1 || width < 1 || top + height > targetHeight || left + width > targetWidth)
            throw new ArgumentOutOfRangeException(
                nameof(top), $"({left}, {top}) {width} x {height} is not inside {targetWidth} x {targetHeight}.");
        (_sourceHeight, _sourceWidth, _height, _width) = (sourceHeight, sourceWidth, height, width);
        _horizontal = new TriangleFilter(sourceWidth, targetWidth, left, width);
        _vertical = new TriangleFilter(sourceHeight, targetHeight, top, height);
        _sourceRow = new uint[RoundUp(sourceWidth, Vector<uint>.Count)];
        _pitch = RoundUp(3 * width + 1, Vector<byte>.Count);
        _resizedRows = new byte[checked(_pitch * _vertical.LongestRun)];
        _outputRow = new byte[_pitch];
    }

    /// <summary>Resizes a whole image, once.</summary>
    public static RgbImage Resize(ImageView image, int height, int width)
    {
        var resized = new RgbImage(width, height);
        new PillowResize(image.Height, image.Width, height, width).Run(image, resized.Pixels);
        return resized;
    }

    /// <param name="image">Of the source size; any format.</param>
    /// <param name="rgb">[height, width, 3], overwritten: red, green, blue of each pixel. Grey images give three equal
    /// values.</param>
    public void Run(ImageView image, Span<byte> rgb) => Run(image, ColourAdjustment.None, rgb);

    /// <param name="adjustment">Applied before the resize.</param>
    public void Run(ImageView image, ColourAdjustment adjustment, Span<byte> rgb)
    {
        if (image.Height != _sourceHeight || image.Width != _sourceWidth)
            throw new ArgumentException(
                $"The image is {image.Width} x {image.Height} but the resize is for {_sourceWidth} x {_sourceHeight}.",
                nameof(image));
        if (rgb.Length != 3L * _height * _width)
            throw new ArgumentException(
                $"{_width} x {_height} RGB takes {3L * _height * _width} bytes but the span holds {rgb.Length}.",
                nameof(rgb));

        var blend = new ColourBlend(image, adjustment, _sourceRow);
        int next = _vertical.Start(0);  // the first source row that has not been through the horizontal pass
        for (int y = 0; y < _height; y++)
        {
            int end = _vertical.Start(y) + _vertical.Weights(y).Length;
            for (; next < end; next++)
            {
                PixelRow.Unpack(image.Row(next), image.Format, _sourceRow);
                blend.Apply(_sourceRow);
                ResizeRow(RingRow(next));
            }
            WeighRows(y);
            _outputRow.AsSpan(0, 3 * _width).CopyTo(rgb[(3 * y * _width)..]);
        }
    }

    private Span<byte> RingRow(int sourceRow) => _resizedRows.AsSpan(sourceRow % _vertical.LongestRun * _pitch, _pitch);

    /// <summary>The horizontal pass of one row: a pixel's samples fill the lanes of one vector.</summary>
    private void ResizeRow(Span<byte> output)
    {
        Vector128<byte> lowBytes = Vector128.Create((byte)0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
        ref byte destination = ref MemoryMarshal.GetReference(output);
        for (int x = 0; x < _width; x++)
        {
            ReadOnlySpan<int> weights = _horizontal.Weights(x);
            ReadOnlySpan<uint> pixels = _sourceRow.AsSpan(_horizontal.Start(x), weights.Length);
            Vector128<uint> sum = Vector128.Create((uint)RoundingBias);
            for (int i = 0; i < weights.Length; i++)
                sum += Lanes(pixels[i]) * Vector128.Create((uint)weights[i]);
            sum = Vector128.Min(sum >>> TriangleFilter.FractionBits, Vector128.Create(255u));
            // Four bytes are written for three samples: the next pixel overwrites the fourth, or the padding takes it.
            uint packed = Vector128.ShuffleNative(sum.AsByte(), lowBytes).AsUInt32().ToScalar();
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref destination, 3 * x), packed);
        }
    }

    private static Vector128<uint> Lanes(uint pixel) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(pixel).AsByte()));

    /// <summary>The vertical pass for one row of the output.</summary>
    private void WeighRows(int y)
    {
        ReadOnlySpan<int> weights = _vertical.Weights(y);
        int start = _vertical.Start(y);
        var bias = new Vector<uint>(RoundingBias);
        for (int x = 0; x < _pitch; x += Vector<byte>.Count)
        {
            Vector<uint> a = bias, b = bias, c = bias, d = bias;
            for (int i = 0; i < weights.Length; i++)
            {
                var samples = new Vector<byte>(RingRow(start + i)[x..]);
                Vector.Widen(samples, out Vector<ushort> low, out Vector<ushort> high);
                Vector.Widen(low, out Vector<uint> p, out Vector<uint> q);
                Vector.Widen(high, out Vector<uint> r, out Vector<uint> s);
                var weight = new Vector<uint>((uint)weights[i]);
                (a, b, c, d) = (a + p * weight, b + q * weight, c + r * weight, d + s * weight);
            }
            Vector.Narrow(Vector.Narrow(Shift(a), Shift(b)), Vector.Narrow(Shift(c), Shift(d))).CopyTo(_outputRow, x);
        }
    }

    private static Vector<uint> Shift(Vector<uint> sum) =>
        Vector.Min(sum >>> TriangleFilter.FractionBits, new Vector<uint>(255));

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;
}
