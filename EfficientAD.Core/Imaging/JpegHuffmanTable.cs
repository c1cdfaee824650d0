namespace EfficientAD.Imaging;

/// <summary>A Huffman code of JPEG: short codes by a table over the next bits, long ones by their ranges.</summary>
internal sealed class JpegHuffmanTable
{
    private const int FastBits = 9;

    private readonly ushort[] _fast = new ushort[1 << FastBits];  // length << 8 | symbol; 0 where no short code does
    private readonly byte[] _symbols;
    private readonly uint[] _ends = new uint[17];   // per length: the first 16 bits that no code up to it begins with
    private readonly int[] _offsets = new int[17];  // per length: what turns a code into the place of its symbol

    private JpegHuffmanTable(byte[] symbols) => _symbols = symbols;

    /// <param name="counts">Number of codes of 1 .. 16 bits.</param>
    /// <param name="symbols">In the order of their codes.</param>
    /// <returns>Null where the counts are of no prefix code.</returns>
    public static JpegHuffmanTable? Create(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        var table = new JpegHuffmanTable(symbols.ToArray());
        int next = 0, symbol = 0;  // the next code, in 16 bits, and its symbol
        for (int length = 1; length <= 16; length++)
        {
            int count = counts[length - 1], run = 1 << (16 - length);
            if (next + count * run > 1 << 16) return null;
            table._offsets[length] = symbol - (next >> (16 - length));
            for (int i = 0; i < count; i++, next += run, symbol++)
            {
                if (length > FastBits) continue;
                Span<ushort> entries = table._fast.AsSpan(next >> (16 - FastBits), run >> (16 - FastBits));
                entries.Fill((ushort)(length << 8 | symbols[symbol]));
            }
            table._ends[length] = (uint)next;
        }
        return table;
    }

    /// <summary>Length and symbol of the code that <paramref name="bits"/> (16 of them) begin with; length 0 where
    /// there is none.</summary>
    public (int Length, int Symbol) Find(uint bits)
    {
        int entry = _fast[bits >> (16 - FastBits)];
        if (entry != 0) return (entry >> 8, entry & 0xFF);
        for (int length = FastBits + 1; length <= 16; length++)
            if (bits < _ends[length])
                return (length, _symbols[(int)(bits >> (16 - length)) + _offsets[length]]);
        return (0, 0);
    }
}
