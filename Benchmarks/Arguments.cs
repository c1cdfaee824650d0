using System.Globalization;
using EfficientAD.Detection;
using EfficientAD.Networks;

namespace EfficientAD.Benchmarks;

/// <summary>Reads a mode's arguments by their place; one that is missing takes its default.</summary>
internal static class Arguments
{
    public static int Number(this string[] arguments, int index, int otherwise) =>
        index < arguments.Length ? int.Parse(arguments[index], CultureInfo.InvariantCulture) : otherwise;

    public static PdnSize Size(this string[] arguments, int index) =>
        index < arguments.Length && arguments[index] == "M" ? PdnSize.Medium : PdnSize.Small;

    public static DetectionMode Mode(this string[] arguments, int index) =>
        index < arguments.Length ? Enum.Parse<DetectionMode>(arguments[index], ignoreCase: true) : DetectionMode.Fast;

    public static double Median(this IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
