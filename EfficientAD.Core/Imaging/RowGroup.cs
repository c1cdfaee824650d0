using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EfficientAD.Imaging;

/// <summary>Some rows of an image side by side, so that one vector holds the same two columns of all of them: two rows
/// in colour, eight in grey. Each of the eight lanes of 32 bits is a pair of neighbouring samples of 16 bits.</summary>
/// <remarks>The horizontal pass of a resize then needs no shuffling and no sum across lanes.</remarks>
internal sealed class RowGroup(int width)
{
    public const int ColourRows = 2, GreyRows = 8;

    private readonly Vector256<short>[] _pairs = new Vector256<short>[(width + 1) / 2];

    /// <param name="row">0 or 1.</param>
    /// <param name="pixels">As <see cref="PixelRow"/> leaves them; at least one more may be read.</param>
    public void SetColourRow(int row, ReadOnlySpan<uint> pixels)
    {
        Vector128<byte> bySample = Vector128.Create((byte)0, 255, 4, 255, 1, 255, 5, 255, 2, 255, 6, 255, 3, 255, 7, 255);
        ReadOnlySpan<ulong> two = MemoryMarshal.Cast<uint, ulong>(pixels);
        Span<Vector128<byte>> lanes = MemoryMarshal.Cast<Vector256<short>, Vector128<byte>>(_pairs.AsSpan());
        for (int pair = 0; pair < _pairs.Length; pair++)
            lanes[2 * pair + row] = Vector128.Shuffle(Vector128.CreateScalarUnsafe(two[pair]).AsByte(), bySample);
    }

    /// <param name="row">0 to 7.</param>
    /// <param name="samples">One per column.</param>
    public void SetGreyRow(int row, ReadOnlySpan<byte> samples)
    {
        Span<int> lanes = MemoryMarshal.Cast<Vector256<short>, int>(_pairs.AsSpan())[row..];
        int pair = 0;
        for (; 2 * pair + 8 <= samples.Length; pair += 4)
        {
            Vector128<int> four = Vector128.WidenLower(
                Vector128.CreateScalarUnsafe(MemoryMarshal.Read<ulong>(samples[(2 * pair)..])).AsByte()).AsInt32();
            Span<int> at = lanes.Slice(8 * pair, 25);
            (at[0], at[8], at[16], at[24]) = (four[0], four[1], four[2], four[3]);
        }
        for (; pair < _pairs.Length; pair++)
            lanes[8 * pair] = samples[2 * pair] | (2 * pair + 1 < samples.Length ? samples[2 * pair + 1] << 16 : 0);
    }

    /// <summary>One target pixel of every row, before the shift to whole samples.</summary>
    /// <param name="bias">Added to every lane.</param>
    /// <returns>By lane: red, green, blue and nothing of the first row, then of the second; or grey of eight rows.</returns>
    public Vector256<int> Weigh(PairedWeights weights, int target, int bias)
    {
        ReadOnlySpan<int> lowWeights = weights.Low(target), highWeights = weights.High(target)[..lowWeights.Length];
        ReadOnlySpan<Vector256<short>> pairs = _pairs.AsSpan(weights.Start(target), lowWeights.Length);
        Vector256<int> low = Vector256.Create(bias), high = Vector256<int>.Zero;
        for (int i = 0; i < lowWeights.Length; i++)
        {
            low += SumOfProducts(pairs[i], Vector256.Create(lowWeights[i]).AsInt16());
            high += SumOfProducts(pairs[i], Vector256.Create(highWeights[i]).AsInt16());
        }
        return low + (high << PairedWeights.LowBits);
    }

    /// <summary>Of each pair of samples and pair of weights, none negative.</summary>
    private static Vector256<int> SumOfProducts(Vector256<short> samples, Vector256<short> weights) =>
        Avx2.IsSupported ? Avx2.MultiplyAddAdjacent(samples, weights) : SumOfProductsAnywhere(samples, weights);

    /// <summary>The same on any processor.</summary>
    internal static Vector256<int> SumOfProductsAnywhere(Vector256<short> samples, Vector256<short> weights)
    {
        Vector256<int> evenSamples = samples.AsInt32() & Vector256.Create(0xFFFF), oddSamples = samples.AsInt32() >>> 16;
        Vector256<int> evenWeights = weights.AsInt32() & Vector256.Create(0xFFFF), oddWeights = weights.AsInt32() >>> 16;
        return evenSamples * evenWeights + oddSamples * oddWeights;
    }
}
