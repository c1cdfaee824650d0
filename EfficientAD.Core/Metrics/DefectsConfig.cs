using System.Text.Json;

namespace EfficientAD.Metrics;

/// <summary>How much of one kind of defect must be found until it counts as found whole.</summary>
/// <param name="Name">The defect's name.</param>
/// <param name="PixelValue">The value of its pixels in masks, 1 to 255.</param>
/// <param name="SaturationThreshold">A fraction of the defect's area in (0, 1], or a number of pixels.</param>
/// <param name="IsRelative">Whether the threshold is a fraction.</param>
public sealed record DefectSaturation(string Name, int PixelValue, double SaturationThreshold, bool IsRelative)
{
    /// <summary>The pixels that saturate a defect of <paramref name="area"/> pixels: at least 1, at most all.</summary>
    public int SaturationArea(int area) =>
        (int)Math.Clamp(IsRelative ? Math.Floor(SaturationThreshold * area) : SaturationThreshold, 1, area);
}

/// <summary>The defects_config.json of a category of MVTec LOCO AD.</summary>
public sealed class DefectsConfig
{
    private readonly Dictionary<int, DefectSaturation> _entries;

    public DefectsConfig(IEnumerable<DefectSaturation> entries)
    {
        _entries = [];
        foreach (DefectSaturation entry in entries)
        {
            bool valid = entry.PixelValue is >= 1 and <= 255 && entry.SaturationThreshold > 0
                && (entry.IsRelative ? entry.SaturationThreshold <= 1 : double.IsInteger(entry.SaturationThreshold));
            if (!valid)
                throw new ArgumentException($"{entry}: the pixel value must be 1 to 255 and the saturation threshold "
                    + "a fraction in (0, 1], or a whole number of pixels of at least 1.", nameof(entries));
            if (!_entries.TryAdd(entry.PixelValue, entry))
                throw new ArgumentException($"'{_entries[entry.PixelValue].Name}' and '{entry.Name}' share the pixel value {entry.PixelValue}.", nameof(entries));
        }
    }

    public IReadOnlyCollection<DefectSaturation> Entries => _entries.Values;

    /// <summary>The entry of a mask: of the only value that its pixels have beside zero.</summary>
    /// <exception cref="InvalidDataException">The mask is empty, has several values, or one without an entry.</exception>
    public DefectSaturation EntryOf(Mask mask)
    {
        int value = 0;
        foreach (byte pixel in mask.Pixels)
        {
            if (pixel == 0 || pixel == value) continue;
            if (value != 0)
                throw new InvalidDataException($"A mask marks one defect with one pixel value, but this one has {value} and {pixel}.");
            value = pixel;
        }
        if (value == 0)
            throw new InvalidDataException("A mask marks one defect, but this one is empty.");
        return _entries.TryGetValue(value, out DefectSaturation? entry)
            ? entry
            : throw new InvalidDataException($"defects_config.json has no pixel_value {value}. It has: {string.Join(", ", _entries.Keys.Order())}.");
    }

    /// <exception cref="InvalidDataException">The text is not an array of entries as the data set defines them.</exception>
    public static DefectsConfig Parse(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return new DefectsConfig(document.RootElement.EnumerateArray().Select(ReadEntry).ToArray());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"Not a defects_config.json: {e.Message}", e);
        }
    }

    private static DefectSaturation ReadEntry(JsonElement entry) => new(
        entry.GetProperty("defect_name").GetString() ?? "",
        entry.GetProperty("pixel_value").GetInt32(),
        entry.GetProperty("saturation_threshold").GetDouble(),
        entry.GetProperty("relative_saturation").GetBoolean());
}
