namespace EfficientAD.Imaging;

/// <summary>A Huffman code of JPEG as a table over the next 16 bits.</summary>
internal sealed class JpegHuffmanTable
{
    // Length << 8 | symbol; 0 where no code begins so.
    private readonly ushort[] _entries = new ushort[1 << 16];

    /// <param name="counts">Number of codes of 1 .. 16 bits.</param>
    /// <param name="symbols">In the order of their codes.</param>
    /// <returns>Null where the counts are of no prefix code.</returns>
    public static JpegHuffmanTable? Create(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        var table = new JpegHuffmanTable();
        int next = 0, symbol = 0;
        for (int length = 1; length <= 16; length++)
        {
            int run = 1 << (16 - length);
            if (next + counts[length - 1] * run > table._entries.Length) return null;
            for (int i = 0; i < counts[length - 1]; i++, next += run)
                table._entries.AsSpan(next, run).Fill((ushort)(length << 8 | symbols[symbol++]));
        }
        return table;
    }

    /// <summary>Length and symbol of the code that <paramref name="bits"/> (16 of them) begin with; length 0 where there is none.</summary>
    public (int Length, int Symbol) Find(uint bits) => (_entries[bits] >> 8, _entries[bits] & 0xFF);
}
