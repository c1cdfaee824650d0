using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EfficientAD.Imaging;

/// <summary>Some rows of an image side by side, so that 512 bits hold the same two columns of all of them: four rows in
/// colour, sixteen in grey. Each of the sixteen lanes of 32 bits is a pair of neighbouring samples of 16
/// bits.</summary>
/// <remarks>The horizontal pass of a resize then needs no shuffling and no sum across lanes.</remarks>
internal sealed class RowGroup(int width)
{
    public const int ColourRows = 4, GreyRows = 16;

    /// <summary>Columns to set of all rows before the next ones, so that what they write stays in the nearest
    /// cache.</summary>
    public const int Block = 512;

    private const int Lanes = 16, BlockColumns = 16, HalfGroup = GreyRows / 2;

    private readonly Vector512<short>[] _pairs = new Vector512<short>[(width + 1) / 2];

    /// <param name="row">0 to 3.</param>
    /// <param name="from">First column; even.</param>
    /// <param name="count">Columns.</param>
    /// <param name="pixels">As <see cref="PixelRow"/> leaves them; where the count is odd, one more is read.</param>
    public void SetColourRow(int row, int from, int count, ReadOnlySpan<uint> pixels)
    {
        Vector128<byte> bySample = Vector128.Create(
            (byte)0, 255, 4, 255, 1, 255, 5, 255, 2, 255, 6, 255, 3, 255, 7, 255);
        ReadOnlySpan<ulong> two = MemoryMarshal.Cast<uint, ulong>(pixels)[..((count + 1) / 2)];
        Span<Vector512<short>> pairs = _pairs.AsSpan(from / 2, two.Length);
        ref Vector128<byte> lanes =
            ref Unsafe.As<Vector512<short>, Vector128<byte>>(ref MemoryMarshal.GetReference(pairs));
        for (int pair = 0; pair < two.Length; pair++)
            Unsafe.Add(ref lanes, ColourRows * pair + row) =
                Vector128.Shuffle(Vector128.CreateScalarUnsafe(two[pair]).AsByte(), bySample);
    }

    /// <param name="row">0 to 15.</param>
    /// <param name="from">First column; even.</param>
    /// <param name="samples">One per column from there.</param>
    public void SetGreyRow(int row, int from, ReadOnlySpan<byte> samples)
    {
        Span<Vector512<short>> pairs = _pairs.AsSpan(from / 2, (samples.Length + 1) / 2);
        ref int lanes = ref Unsafe.Add(
            ref Unsafe.As<Vector512<short>, int>(ref MemoryMarshal.GetReference(pairs)), row);
        int x = 0;
        for (; x + 8 <= samples.Length; x += 8)
        {
            Vector128<int> four = Vector128.WidenLower(
                Vector128.CreateScalarUnsafe(MemoryMarshal.Read<ulong>(samples[x..])).AsByte()).AsInt32();
            ref int at = ref Unsafe.Add(ref lanes, Lanes * (x / 2));
            at = four[0];
            Unsafe.Add(ref at, Lanes) = four[1];
            Unsafe.Add(ref at, 2 * Lanes) = four[2];
            Unsafe.Add(ref at, 3 * Lanes) = four[3];
        }
        for (; x < samples.Length; x += 2)
            Unsafe.Add(ref lanes, Lanes * (x / 2)) = samples[x] | (x + 1 < samples.Length ? samples[x + 1] << 16 : 0);
    }

    /// <summary>Sixteen rows at once, as far as whole blocks of sixteen columns go: the columns of a block change
    /// places with its rows by shuffles, so that every line of the cache is written once.</summary>
    /// <param name="first">The first of the rows.</param>
    /// <returns>How many columns that are; the others are for <see cref="SetGreyRow"/>.</returns>
    public int SetGreyRows(ImageView image, int first)
    {
        if (!Avx2.IsSupported) return 0;
        int columns = image.Width / BlockColumns * BlockColumns;
        if (columns == 0) return 0;
        int stride = image.Stride;
        ReadOnlySpan<byte> upper = image.Pixels[(first * stride)..], lower = upper[(HalfGroup * stride)..];
        for (int x = 0; x < columns; x += BlockColumns)
        {
            Vector256<short> a = Both(upper, lower, x), b = Both(upper, lower, x + stride);
            Vector256<short> c = Both(upper, lower, x + 2 * stride), d = Both(upper, lower, x + 3 * stride);
            Vector256<short> e = Both(upper, lower, x + 4 * stride), f = Both(upper, lower, x + 5 * stride);
            Vector256<short> g = Both(upper, lower, x + 6 * stride), h = Both(upper, lower, x + 7 * stride);
            // Three times the pairs of the first four come between those of the last four: rows and columns change
            // places.
            for (int round = 0; round < 3; round++)
            {
                (a, b, c, d, e, f, g, h) = (
                    Avx2.UnpackLow(a, e), Avx2.UnpackHigh(a, e), Avx2.UnpackLow(b, f), Avx2.UnpackHigh(b, f),
                    Avx2.UnpackLow(c, g), Avx2.UnpackHigh(c, g), Avx2.UnpackLow(d, h), Avx2.UnpackHigh(d, h));
            }

            Span<Vector512<short>> pairs = _pairs.AsSpan(x / 2, BlockColumns / 2);
            (pairs[0], pairs[1], pairs[2], pairs[3]) = (Widen(a), Widen(b), Widen(c), Widen(d));
            (pairs[4], pairs[5], pairs[6], pairs[7]) = (Widen(e), Widen(f), Widen(g), Widen(h));
        }

        return columns;
    }

    /// <summary>Sixteen samples of each of two rows, as pairs.</summary>
    private static Vector256<short> Both(ReadOnlySpan<byte> upper, ReadOnlySpan<byte> lower, int at) =>
        Vector256.Create(Vector128.Create(upper[at..]), Vector128.Create(lower[at..])).AsInt16();

    private static Vector512<short> Widen(Vector256<short> bytes)
    {
        if (Avx512BW.IsSupported) return Avx512BW.ConvertToVector512UInt16(bytes.AsByte()).AsInt16();
        (Vector256<ushort> low, Vector256<ushort> high) = Vector256.Widen(bytes.AsByte());
        return Vector512.Create(low, high).AsInt16();
    }

    /// <summary>One target pixel of every row, before the shift to whole samples.</summary>
    /// <param name="bias">Added to every lane.</param>
    /// <returns>By lane: red, green, blue and nothing of the first row, then of the next ones; or grey of all
    /// rows.</returns>
    public Vector512<int> Weigh(PairedWeights weights, int target, int bias)
    {
        ReadOnlySpan<PairedWeight> factors = weights.Of(target);
        ReadOnlySpan<Vector512<short>> pairs = _pairs.AsSpan(weights.Start(target), factors.Length);
        if (Avx512BW.IsSupported)
        {
            Vector512<int> low = Vector512.Create(bias), high = Vector512<int>.Zero;
            for (int i = 0; i < pairs.Length; i++)
            {
                low += Avx512BW.MultiplyAddAdjacent(pairs[i], Vector512.Create(factors[i].Low).AsInt16());
                high += Avx512BW.MultiplyAddAdjacent(pairs[i], Vector512.Create(factors[i].High).AsInt16());
            }
            return low + (high << PairedWeight.LowBits);
        }

        Vector256<int> lowA = Vector256.Create(bias), lowB = lowA, highA = Vector256<int>.Zero, highB = highA;
        for (int i = 0; i < pairs.Length; i++)
        {
            Vector256<short> lowFactor = Vector256.Create(factors[i].Low).AsInt16();
            Vector256<short> highFactor = Vector256.Create(factors[i].High).AsInt16();
            (Vector256<short> a, Vector256<short> b) = (pairs[i].GetLower(), pairs[i].GetUpper());
            (lowA, highA) = (lowA + SumOfProducts(a, lowFactor), highA + SumOfProducts(a, highFactor));
            (lowB, highB) = (lowB + SumOfProducts(b, lowFactor), highB + SumOfProducts(b, highFactor));
        }
        return Vector512.Create(lowA + (highA << PairedWeight.LowBits), lowB + (highB << PairedWeight.LowBits));
    }

    /// <summary>Of each pair of samples and pair of weights, none negative.</summary>
    private static Vector256<int> SumOfProducts(Vector256<short> samples, Vector256<short> weights) =>
        Avx2.IsSupported ? Avx2.MultiplyAddAdjacent(samples, weights) : SumOfProductsAnywhere(samples, weights);

    /// <summary>The same on any processor.</summary>
    internal static Vector256<int> SumOfProductsAnywhere(Vector256<short> samples, Vector256<short> weights)
    {
        Vector256<int> evenSamples = samples.AsInt32() & Vector256.Create(0xFFFF);
        Vector256<int> oddSamples = samples.AsInt32() >>> 16;
        Vector256<int> evenWeights = weights.AsInt32() & Vector256.Create(0xFFFF);
        Vector256<int> oddWeights = weights.AsInt32() >>> 16;
        return evenSamples * evenWeights + oddSamples * oddWeights;
    }
}
