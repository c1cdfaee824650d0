namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>The tiles of a batch of maps, counted row by row, sample after sample.</summary>
/// <param name="Size">Outputs of a tile in one direction.</param>
internal readonly record struct TileGrid(int Samples, int Height, int Width, int Size)
{
    public int Rows => (Height + Size - 1) / Size;

    public int Columns => (Width + Size - 1) / Size;

    public int Count => Samples * Rows * Columns;

    /// <summary>Where a tile lies, in tiles.</summary>
    public (int Sample, int Row, int Column) At(int tile)
    {
        (int row, int column) = Math.DivRem(tile, Columns);
        (int sample, row) = Math.DivRem(row, Rows);
        return (sample, row, column);
    }

    /// <summary>Where the tile behind one lies: cheaper than a division.</summary>
    public (int Sample, int Row, int Column) After((int Sample, int Row, int Column) tile) => tile switch
    {
        _ when tile.Column + 1 < Columns => (tile.Sample, tile.Row, tile.Column + 1),
        _ when tile.Row + 1 < Rows => (tile.Sample, tile.Row + 1, 0),
        _ => (tile.Sample + 1, 0, 0),
    };
}
