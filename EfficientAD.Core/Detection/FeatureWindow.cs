namespace EfficientAD.Detection;

/// <summary>The part of a whole map that a tile's map is: where the autoencoder's output, which lies over the whole
/// map, is read for it.</summary>
/// <param name="height">Of the whole map.</param>
/// <param name="width">Of the whole map.</param>
internal sealed class FeatureWindow(int height, int width)
{
    /// <summary>The tile's first row and column; may change between two runs.</summary>
    public (int Top, int Left) Place { get; set; }

    /// <summary>Row i of the tile samples the autoencoder's output at (i + 0.5) * scale + offset.</summary>
    /// <param name="size">Rows of the autoencoder's output.</param>
    public (float Scale, float Offset) Rows(int size) => Taps(size, height, Place.Top);

    /// <summary>The same of columns.</summary>
    public (float Scale, float Offset) Columns(int size) => Taps(size, width, Place.Left);

    private static (float Scale, float Offset) Taps(int size, int whole, int first)
    {
        float scale = (float)size / whole;
        return (scale, first * scale - 0.5f);
    }
}
