using EfficientAD.Imaging;

namespace EfficientAD.Detection;

/// <summary>Where the pixels of a resized map sample the map that it was resized from: row i at
/// (i + 0.5) * ScaleY + OffsetY, 0 being the centre of the first row of the map with its border.</summary>
/// <param name="Border">Rows and columns that surround the map first.</param>
/// <param name="IsBorderZero">Zero surrounds the combined map; else what the combination makes of zeros.</param>
internal readonly record struct MapPlacement(
    int Border, bool IsBorderZero, float ScaleY, float OffsetY, float ScaleX, float OffsetX)
{
    // The centre of the first output's patch lies 16.5 pixels in; padded networks start 4 outputs (16 pixels) earlier.
    private const float FirstCentre = 16.5f, PaddedFirstCentre = 0.5f, OutputStride = 4;

    /// <summary>Rows and columns of zeros that the published implementations put around unpadded maps.</summary>
    public const int PublishedBorder = 4;

    /// <summary>The places of an order that keep every value at the centre of the patch it describes.</summary>
    /// <param name="padded">Whether the networks are padded.</param>
    /// <param name="input">Extent of the networks' input in pixels.</param>
    /// <param name="image">Extent of the resized map.</param>
    public static MapPlacement Aligned(
        bool padded, (int Height, int Width) input, (int Height, int Width) image)
    {
        float first = -(padded ? PaddedFirstCentre : FirstCentre) / OutputStride;
        return new(
            0, false, input.Height / (OutputStride * image.Height), first, input.Width / (OutputStride * image.Width),
            first);
    }

    /// <summary>The same where the image covers a part of the input.</summary>
    /// <param name="area">That part, in pixels of the input.</param>
    /// <param name="image">Extent of the resized map.</param>
    public static MapPlacement Aligned(bool padded, FittedArea area, (int Height, int Width) image)
    {
        MapPlacement whole = Aligned(padded, (area.Height, area.Width), image);
        return whole with
        {
            OffsetY = whole.OffsetY + area.Top / OutputStride,
            OffsetX = whole.OffsetX + area.Left / OutputStride,
        };
    }

    /// <summary>The places of a raw map, y * width + x in order, whose patches are centred on an area of the
    /// input.</summary>
    /// <param name="height">Of the map.</param>
    /// <param name="width">Of the map.</param>
    public static IEnumerable<int> PlacesInside(FittedArea area, bool padded, int height, int width)
    {
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                (float row, float column) = (CentreOf(y, padded) - area.Top, CentreOf(x, padded) - area.Left);
                if (row >= 0 && row < area.Height && column >= 0 && column < area.Width) yield return y * width + x;
            }
        }
    }

    /// <summary>Where the value of row or column i lies in the input, in pixels.</summary>
    public static float CentreOf(int i, bool padded) => (padded ? PaddedFirstCentre : FirstCentre) + OutputStride * i;

    /// <summary>The whole map, with its border, over the whole image.</summary>
    public static MapPlacement Spread(
        (int Height, int Width) map, int border, bool isBorderZero, (int Height, int Width) image) =>
        new(
            border, isBorderZero, (map.Height + 2f * border) / image.Height, -0.5f,
            (map.Width + 2f * border) / image.Width, -0.5f);
}
