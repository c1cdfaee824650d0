namespace EfficientAD.Cli.Reports;

/// <summary>A sequence of colours for intensities from 0 to 1: violet, red, orange, pale yellow.</summary>
/// <remarks>Computed in OKLCh (B. Ottosson, "A perceptual color space for image processing", 2020): lightness rises
/// evenly, hue turns evenly, chroma is as high as sRGB allows but for a limit. So equal steps look equal, and the order
/// survives grey printing and colour blindness.</remarks>
internal static class ColourMap
{
    private const int Steps = 256;
    private const double Darkest = 0.34, Brightest = 0.94, MostChroma = 0.21;
    private const double FirstHue = 295, HueRange = 165;  // degrees, over red (25 = 385) to yellow (100 = 460)

    private static readonly (byte R, byte G, byte B)[] Table =
        [.. Enumerable.Range(0, Steps).Select(i => Compute((double)i / (Steps - 1)))];

    /// <param name="intensity">Clamped to [0, 1].</param>
    public static (byte R, byte G, byte B) At(double intensity) =>
        Table[(int)Math.Round(Math.Clamp(intensity, 0, 1) * (Steps - 1))];

    private static (byte R, byte G, byte B) Compute(double intensity)
    {
        double lightness = Darkest + (Brightest - Darkest) * intensity;
        double hue = double.DegreesToRadians(FirstHue + HueRange * intensity);
        double low = 0, high = MostChroma;
        for (int i = 0; i < 20; i++)
        {
            double middle = (low + high) / 2;
            if (IsInGamut(LinearRgb(lightness, middle, hue))) low = middle;
            else high = middle;
        }
        (double r, double g, double b) = LinearRgb(lightness, low, hue);
        return (Encode(r), Encode(g), Encode(b));
    }

    private static (double R, double G, double B) LinearRgb(double lightness, double chroma, double hue)
    {
        (double sin, double cos) = Math.SinCos(hue);
        (double a, double b) = (chroma * cos, chroma * sin);
        double l = Math.Pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
        double m = Math.Pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
        double s = Math.Pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
        return (
            4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
            -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
            -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
    }

    private static bool IsInGamut((double R, double G, double B) colour) =>
        colour is { R: >= 0 and <= 1, G: >= 0 and <= 1, B: >= 0 and <= 1 };

    private static byte Encode(double linear) => (byte)Math.Round(
        255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * Math.Pow(linear, 1 / 2.4) - 0.055));
}
