namespace EfficientAD.Cli.Demo;

/// <summary>Capitals and digits of 3 x 5 cells, for print on labels and boards.</summary>
internal static class Lettering
{
    private const string Characters = "0123456789ACDEMNSV-.";

    // Five rows of three bits, the upper left cell in bit 14.
    private static readonly ushort[] Cells =
    [
        0b111_101_101_101_111, 0b010_110_010_010_111, 0b111_001_111_100_111, 0b111_001_011_001_111,
        0b101_101_111_001_001, 0b111_100_111_001_111, 0b111_100_111_101_111, 0b111_001_010_010_010,
        0b111_101_111_101_111, 0b111_101_111_001_111, 0b010_101_111_101_101, 0b111_100_100_100_111,
        0b110_101_101_101_110, 0b111_100_110_100_111, 0b101_111_111_101_101, 0b110_101_101_101_101,
        0b111_100_111_001_111, 0b101_101_101_101_010, 0b000_000_111_000_000, 0b000_000_000_000_010,
    ];

    /// <summary>1 where a point lies on the print, else 0.</summary>
    /// <param name="u">In cells from the left of the text; characters are 4 apart.</param>
    /// <param name="v">In cells from the top of the text.</param>
    public static float Cover(ReadOnlySpan<char> text, float u, float v)
    {
        if (u < 0 || v < 0 || v >= 5 || u >= 4 * text.Length) return 0;
        int column = (int)u, character = Characters.IndexOf(text[column / 4]);
        if (column % 4 == 3 || character < 0) return 0;
        return Cells[character] >> (14 - 3 * (int)v - column % 4) & 1;
    }
}
