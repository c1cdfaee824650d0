using System.Text.Json;

namespace EfficientAD.Data;

/// <summary>How MVTec LOCO AD counts one kind of defect: from which overlap on a region is found (Bergmann et al.,
/// "Beyond Dents and Scratches", IJCV 2022).</summary>
/// <param name="Name">The kind's name, finer than the test folder's.</param>
/// <param name="PixelValue">The grey value, 1 to 255, that its masks carry.</param>
/// <param name="SaturationThreshold">Pixels from which on the region counts as found, or their share of the region
/// where <paramref name="IsRelative"/> is set.</param>
/// <param name="IsRelative">The threshold is a share in (0, 1] of the region's area.</param>
public sealed record DefectConfiguration(string Name, int PixelValue, double SaturationThreshold, bool IsRelative)
{
    private const string FileName = "defects_config.json";
    private const long MaximumFileLength = 1 << 20;

    /// <summary>Reads <c>defects_config.json</c> of a category.</summary>
    /// <param name="categoryFolder">A data set's <see cref="AnomalyDataset.Root"/>.</param>
    /// <returns>In the file's order; empty where there is no such file.</returns>
    /// <exception cref="DatasetException">The file is not as MVTec LOCO AD has it.</exception>
    public static IReadOnlyList<DefectConfiguration> Read(string categoryFolder)
    {
        string path = Path.Combine(categoryFolder, FileName);
        if (!File.Exists(path)) return [];
        long length = new FileInfo(path).Length;
        if (length > MaximumFileLength)
            throw new DatasetException($"{path} has {length} bytes, more than the limit of {MaximumFileLength}.");
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 8 });
            var defects = json.RootElement.EnumerateArray().Select(element => Parse(element, path)).ToArray();
            var (value, count) = defects.CountBy(defect => defect.PixelValue).FirstOrDefault(pair => pair.Value > 1);
            return count <= 1
                ? defects
                : throw new DatasetException($"{path} gives the pixel value {value} to {count} defects.");
        }
        catch (Exception e) when (
            e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new DatasetException(
                $"{path} is not a list of defect_name, pixel_value, saturation_threshold, relative_saturation: " +
                e.Message, e);
        }
    }

    private static DefectConfiguration Parse(JsonElement element, string path)
    {
        var defect = new DefectConfiguration(
            element.GetProperty("defect_name").GetString() ?? "",
            element.GetProperty("pixel_value").GetInt32(),
            element.GetProperty("saturation_threshold").GetDouble(),
            element.GetProperty("relative_saturation").GetBoolean());
        if (defect.PixelValue is < 1 or > 255)
        {
            throw new DatasetException(
                $"{path}: '{defect.Name}' has the pixel value {defect.PixelValue}; 1 to 255 can stand.");
        }
        double largest = defect.IsRelative ? 1 : double.MaxValue;
        return defect.SaturationThreshold > 0 && defect.SaturationThreshold <= largest
            ? defect
            : throw new DatasetException(
                $"{path}: '{defect.Name}' has the saturation threshold {defect.SaturationThreshold}; " +
                $"it must be positive{(defect.IsRelative ? " and at most 1" : "")}.");
    }
}
