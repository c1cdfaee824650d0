using EfficientAD.Data;
using EfficientAD.Imaging;

namespace EfficientAD.Metrics;

/// <summary>How much of a defect of MVTec LOCO AD must be found until it counts as found whole.</summary>
public sealed class RegionSaturation
{
    private readonly Dictionary<int, DefectConfiguration> _byPixelValue;

    /// <param name="defects">The category's kinds of defects, each with a pixel value of its own.</param>
    public RegionSaturation(IEnumerable<DefectConfiguration> defects) =>
        _byPixelValue = defects.ToDictionary(defect => defect.PixelValue);

    /// <summary>The number of found pixels that saturates the mask's region: a fraction is cut off to whole pixels, at
    /// least 1, at most all. The value of the mask's pixels says which kind of defect it is.</summary>
    /// <exception cref="InvalidDataException">The mask is empty, has several values, or one of no kind.</exception>
    public int Area(GreyImage mask)
    {
        (int value, int area) = ValueAndArea(mask);
        if (!_byPixelValue.TryGetValue(value, out DefectConfiguration? defect))
            throw new InvalidDataException($"A mask has the pixel value {value}, which stands for no kind of defect. "
                + $"Known are: {string.Join(", ", _byPixelValue.Keys.Order())}.");
        double threshold = defect.IsRelative ? defect.SaturationThreshold * area : defect.SaturationThreshold;
        return (int)Math.Clamp(threshold, 1, area);
    }

    private static (int Value, int Area) ValueAndArea(GreyImage mask)
    {
        (int value, int area) = (0, 0);
        foreach (byte pixel in mask.Pixels)
        {
            if (pixel == 0) continue;
            if (pixel != value && value != 0)
                throw new InvalidDataException(
                    $"A mask marks one defect with one pixel value, but this one has {value} and {pixel}.");
            value = pixel;
            area++;
        }
        return area > 0
            ? (value, area)
            : throw new InvalidDataException("A mask marks one defect, but this one is empty.");
    }
}
