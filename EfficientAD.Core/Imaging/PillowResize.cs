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
    private readonly PairedWeights _horizontal;
    private readonly TriangleFilter _vertical;
    private readonly uint[] _sourceRow;    // one row of the image
    private readonly byte[] _greyRow = new byte[RowGroup.Block];
    private readonly RowGroup _group;
    private readonly byte[] _resizedRows;  // a ring of rows resized along x: what the vertical pass needs, and a group
    private readonly byte[] _outputRow;
    private readonly bool _isUnchanged;    // the target is the source, and whole
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
        _isUnchanged = (sourceHeight, sourceWidth) == (targetHeight, targetWidth)
            && (height, width) == (targetHeight, targetWidth);
        _horizontal = new PairedWeights(new TriangleFilter(sourceWidth, targetWidth, left, width), width);
        _vertical = new TriangleFilter(sourceHeight, targetHeight, top, height);
        _sourceRow = new uint[RoundUp(sourceWidth, Math.Max(Vector<uint>.Count, 2))];
        _group = new RowGroup(sourceWidth);
        _pitch = RoundUp(3 * width + 1, Vector<byte>.Count);
        _resizedRows = new byte[checked(_pitch * RingRows)];
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
        bool isGrey = image.Format == PixelFormat.Grey8;
        Run(image, adjustment, rgb, outputSamples: 3, isGrey ? 1 : 3);
    }

    /// <summary>The same for a grey image, with one sample a pixel.</summary>
    /// <param name="image">Of the source size; <see cref="PixelFormat.Grey8"/>.</param>
    /// <param name="grey">[height, width], overwritten.</param>
    internal void RunGrey(ImageView image, ColourAdjustment adjustment, Span<byte> grey)
    {
        if (image.Format != PixelFormat.Grey8)
            throw new ArgumentException($"The image is {image.Format}, not grey.", nameof(image));
        Run(image, adjustment, grey, outputSamples: 1, samples: 1);
    }

    /// <param name="outputSamples">Of a pixel of the output.</param>
    /// <param name="samples">Of a pixel on the way there.</param>
    private void Run(ImageView image, ColourAdjustment adjustment, Span<byte> output, int outputSamples, int samples)
    {
        if (image.Height != _sourceHeight || image.Width != _sourceWidth)
            throw new ArgumentException(
                $"The image is {image.Width} x {image.Height} but the resize is for {_sourceWidth} x {_sourceHeight}.",
                nameof(image));
        int rowBytes = outputSamples * _width;
        if (output.Length != (long)_height * rowBytes)
            throw new ArgumentException(
                $"{_width} x {_height} of {outputSamples} samples take {(long)_height * rowBytes} bytes but the span " +
                $"holds {output.Length}.",
                nameof(output));

        var blend = new ColourBlend(image, adjustment, _sourceRow);
        bool isCopy = _isUnchanged && blend.ChangesNothing && image.Format is PixelFormat.Rgb24 or PixelFormat.Grey8;
        int next = _vertical.Start(0);  // the first source row that has not been through the horizontal pass
        for (int y = 0; y < _height; y++)
        {
            Span<byte> row = output.Slice(y * rowBytes, rowBytes);
            if (isCopy)
            {
                Write(image.Row(y), row);
                continue;
            }

            int end = _vertical.Start(y) + _vertical.Weights(y).Length;
            while (next < end)
                next += samples == 1 ? ResizeGreyRows(image, blend, next) : ResizeColourRows(image, blend, next);
            WeighRows(y, samples * _width);
            Write(_outputRow.AsSpan(0, samples * _width), row);
        }
    }

    private int RingRows => _vertical.LongestRun + RowGroup.GreyRows - 1;

    private Span<byte> RingRow(int sourceRow) => _resizedRows.AsSpan(sourceRow % RingRows * _pitch, _pitch);

    /// <summary>The horizontal pass of four rows, or of the last ones.</summary>
    private int ResizeColourRows(ImageView image, ColourBlend blend, int first)
    {
        int rows = Math.Min(RowGroup.ColourRows, _sourceHeight - first);
        for (int x = 0; x < _sourceWidth; x += RowGroup.Block)
        {
            int count = Math.Min(RowGroup.Block, _sourceWidth - x);
            for (int row = 0; row < rows; row++)
                _group.SetColourRow(row, x, count, Adjusted(image, blend, first + row, x, count));
        }

        ref byte a = ref MemoryMarshal.GetReference(RingRow(first));
        ref byte b = ref MemoryMarshal.GetReference(RingRow(first + 1));
        ref byte c = ref MemoryMarshal.GetReference(RingRow(first + 2));
        ref byte d = ref MemoryMarshal.GetReference(RingRow(first + 3));
        for (int x = 0; x < _width; x++)
        {
            Vector128<uint> samples = LowBytes(_group.Weigh(_horizontal, x, RoundingBias)).AsUInt32();
            // Four bytes are written for three samples: the next pixel overwrites the fourth, or the padding takes it.
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref a, 3 * x), samples[0]);
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref b, 3 * x), samples[1]);
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref c, 3 * x), samples[2]);
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref d, 3 * x), samples[3]);
        }
        return RowGroup.ColourRows;
    }

    /// <summary>The horizontal pass of sixteen rows, or of the last ones. An adjusted grey pixel has three equal
    /// samples.</summary>
    private int ResizeGreyRows(ImageView image, ColourBlend blend, int first)
    {
        int rows = Math.Min(RowGroup.GreyRows, _sourceHeight - first);
        int done = rows == RowGroup.GreyRows && blend.ChangesNothing ? _group.SetGreyRows(image, first) : 0;
        for (int from = done; from < _sourceWidth; from += RowGroup.Block)
        {
            int count = Math.Min(RowGroup.Block, _sourceWidth - from);
            for (int row = 0; row < rows; row++)
                _group.SetGreyRow(row, from, AdjustedGrey(image, blend, first + row, from, count));
        }

        Span<int> ringRows = stackalloc int[rows];
        Span<byte> samples = stackalloc byte[RowGroup.GreyRows];
        for (int row = 0; row < rows; row++) ringRows[row] = (first + row) % RingRows * _pitch;
        for (int x = 0; x < _width; x++)
        {
            LowBytes(_group.Weigh(_horizontal, x, RoundingBias)).CopyTo(samples);
            for (int row = 0; row < ringRows.Length; row++) _resizedRows[ringRows[row] + x] = samples[row];
        }
        return RowGroup.GreyRows;
    }

    /// <summary>Pixels of a row, of a whole number of vectors.</summary>
    private Span<uint> Adjusted(ImageView image, ColourBlend blend, int y, int x, int count)
    {
        Span<uint> pixels = _sourceRow.AsSpan(0, RoundUp(count, Math.Max(Vector<uint>.Count, 2)));
        PixelRow.Unpack(image.Row(y).Slice(x * image.BytesPerPixel, count * image.BytesPerPixel), image.Format, pixels);
        blend.Apply(pixels);
        return pixels;
    }

    private ReadOnlySpan<byte> AdjustedGrey(ImageView image, ColourBlend blend, int y, int x, int count)
    {
        if (blend.ChangesNothing) return image.Row(y).Slice(x, count);
        Span<uint> pixels = Adjusted(image, blend, y, x, count);
        for (int i = 0; i < count; i++) _greyRow[i] = (byte)pixels[i];
        return _greyRow.AsSpan(0, count);
    }

    /// <summary>A row of the output; grey becomes three equal samples where it has as many.</summary>
    private static void Write(ReadOnlySpan<byte> samples, Span<byte> row)
    {
        if (samples.Length == row.Length) samples.CopyTo(row);
        else for (int x = 0; x < samples.Length; x++) row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = samples[x];
    }

    /// <summary>Sums as samples of 8 bits.</summary>
    private static Vector128<byte> LowBytes(Vector512<int> sums)
    {
        Vector256<ushort> samples =
            Vector256.Narrow(Shift(sums.GetLower().AsUInt32()), Shift(sums.GetUpper().AsUInt32()));
        return Vector128.Narrow(samples.GetLower(), samples.GetUpper());
    }

    private static Vector256<uint> Shift(Vector256<uint> sum) =>
        Vector256.Min(sum >>> TriangleFilter.FractionBits, Vector256.Create(255u));

    /// <summary>The vertical pass for one row of the output.</summary>
    /// <param name="count">Samples of the row.</param>
    private void WeighRows(int y, int count)
    {
        ReadOnlySpan<int> weights = _vertical.Weights(y);
        int start = _vertical.Start(y);
        var bias = new Vector<uint>(RoundingBias);
        for (int x = 0; x < count; x += Vector<byte>.Count)
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
