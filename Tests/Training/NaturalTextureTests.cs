using System.Numerics;
using System.Security.Cryptography;
using EfficientAD.Imaging;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

public class NaturalTextureTests
{
    [Fact]
    public void Render_GivesTheSameBitsOnEveryMachine()
    {
        byte[] pixels = [.. NaturalTexture.Render(1, 0, 96).Pixels, .. NaturalTexture.Render(1, 7).Pixels];
        Assert.Equal("11E4451735028DBC37C3A1D3F530D6E3", Convert.ToHexString(SHA256.HashData(pixels).AsSpan(0, 16)));
    }

    [Fact]
    public void Render_DependsOnSeedAndIndexOnly()
    {
        var expected = NaturalTexture.Render(5, 3, 64).Pixels;
        var again = new byte[4][];
        Parallel.For(0, again.Length, i => again[i] = NaturalTexture.Render(5, 3, 64).Pixels);
        Assert.All(again, pixels => Assert.Equal(expected, pixels));
        Assert.NotEqual(expected, NaturalTexture.Render(5, 4, 64).Pixels);
        Assert.NotEqual(expected, NaturalTexture.Render(6, 3, 64).Pixels);
    }

    /// <summary>Photographs have slopes of about -0.8 to -1.5 (Tolhurst et al., 1992); white noise has 0.</summary>
    [Fact]
    public void AmplitudeSpectrum_FallsLikeThatOfPhotographs()
    {
        const int Size = 256, Images = 24;
        var spectrum = new double[Size / 2];
        for (int i = 0; i < Images; i++)
            AddRadialSpectrum(Luma(NaturalTexture.Render(1, i, Size)), Size, spectrum);
        Assert.InRange(LogSlope(spectrum, 6, Size / 4), -1.5, -0.8);
    }

    /// <summary>The penalty is worth what its images have in variety: brightness, contrast and colour differ.</summary>
    [Fact]
    public void Images_DifferWidely()
    {
        var images = Enumerable.Range(0, 40).Select(i => NaturalTexture.Render(1, i, 64)).ToArray();
        var lumas = images.Select(Luma).ToArray();
        var brightness = lumas.Select(luma => luma.Average()).ToArray();
        var contrast = lumas.Select(Deviation).ToArray();
        var warmth = images.Select(image => Channel(image, 0).Average() - Channel(image, 2).Average()).ToArray();
        Assert.True(Deviation(brightness) > 20, $"Mean luma deviates by {Deviation(brightness):F1} grey levels only.");
        Assert.True(contrast.Max() > 2.5 * contrast.Min(), $"Contrasts {contrast.Min():F1} to {contrast.Max():F1}.");
        Assert.True(Deviation(warmth) > 8, $"Red minus blue deviates by {Deviation(warmth):F1} grey levels only.");
    }

    /// <summary>Photographs are sharp or soft, and so is what lies in them: what a student never saw soft, it imitates
    /// the teacher on.</summary>
    [Fact]
    public void Sharpness_DiffersAsInPhotographs()
    {
        var sharpness = new double[40];
        for (int i = 0; i < sharpness.Length; i++)
        {
            double[] luma = Luma(NaturalTexture.Render(1, i, 64));
            double steps = Enumerable.Range(1, luma.Length - 1).Average(j => Math.Abs(luma[j] - luma[j - 1]));
            sharpness[i] = steps / Deviation(luma);
        }

        Array.Sort(sharpness);
        Assert.True(
            sharpness[^5] > 3 * sharpness[4], $"From {sharpness[4]:F3} to {sharpness[^5]:F3} of the contrast a pixel.");
    }

    [Fact]
    public void Render_RejectsImpossibleArguments()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => NaturalTexture.Render(1, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => NaturalTexture.Render(1, 0, 31));
    }

    [Fact]
    public void Noise_HasUnitDeviationAndOneOverFSpectrum()
    {
        const int Size = 128;
        var spectrum = new double[Size / 2];
        for (ulong i = 0; i < 8; i++)
        {
            var noise = Array.ConvertAll(NaturalTexture.Noise(new CounterRandom(1, i), Size), value => (double)value);
            Assert.Equal(0, noise.Average(), 1e-5);
            Assert.Equal(1, Deviation(noise), 1e-5);
            AddRadialSpectrum(noise, Size, spectrum);
        }
        Assert.InRange(LogSlope(spectrum, 3, Size / 4), -1.25, -0.75);
    }

    [Fact]
    public void Noise_IsPeriodic()
    {
        const int Size = 64;
        var noise = NaturalTexture.Noise(new CounterRandom(2, 0), Size);
        double seam = 0, inside = 0;
        for (int y = 0; y < Size; y++)
        {
            seam += Math.Abs(noise[y * Size] - noise[y * Size + Size - 1]);
            seam += Math.Abs(noise[y] - noise[(Size - 1) * Size + y]);
            inside += Math.Abs(noise[y * Size + 31] - noise[y * Size + 30]);
            inside += Math.Abs(noise[31 * Size + y] - noise[30 * Size + y]);
        }
        Assert.InRange(seam / inside, 0.7, 1.4);
    }

    [Theory, InlineData(0), InlineData(2), InlineData(100)]
    public void Noise_RejectsSizesThatAreNoPowerOfTwo(int size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => NaturalTexture.Noise(new CounterRandom(1, 0), size));

    private static double[] Channel(RgbImage image, int c) =>
        Enumerable.Range(0, image.Width * image.Height).Select(i => (double)image.Pixels[3 * i + c]).ToArray();

    private static double[] Luma(RgbImage image) =>
        Channel(image, 0).Zip(Channel(image, 1), Channel(image, 2))
            .Select(pixel => 0.299 * pixel.First + 0.587 * pixel.Second + 0.114 * pixel.Third).ToArray();

    private static double Deviation(double[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }

    /// <summary>Adds the mean amplitude of each ring; a Hann window takes out the frame's cross.</summary>
    private static void AddRadialSpectrum(double[] values, int size, double[] spectrum)
    {
        double mean = values.Average();
        var rows = new Complex[size][];
        for (int y = 0; y < size; y++)
        {
            rows[y] = new Complex[size];
            for (int x = 0; x < size; x++) rows[y][x] = (values[y * size + x] - mean) * Hann(x, size) * Hann(y, size);
            rows[y] = Fourier(rows[y]);
        }
        var sums = new double[spectrum.Length];
        var counts = new int[spectrum.Length];
        for (int x = 0; x < size; x++)
        {
            var column = Fourier([.. rows.Select(row => row[x])]);
            for (int y = 0; y < size; y++)
            {
                int dx = Math.Min(x, size - x), dy = Math.Min(y, size - y);
                int radius = (int)Math.Sqrt(dx * dx + dy * dy);
                if (radius >= sums.Length) continue;
                sums[radius] += column[y].Magnitude;
                counts[radius]++;
            }
        }
        for (int i = 0; i < sums.Length; i++) spectrum[i] += sums[i] / counts[i];
    }

    private static double Hann(int i, int size) => 0.5 - 0.5 * Math.Cos(2 * Math.PI * i / size);

    private static Complex[] Fourier(Complex[] values)
    {
        int n = values.Length;
        if (n == 1) return values;
        var even = Fourier([.. values.Where((_, i) => i % 2 == 0)]);
        var odd = Fourier([.. values.Where((_, i) => i % 2 == 1)]);
        var result = new Complex[n];
        for (int k = 0; k < n / 2; k++)
        {
            var turned = Complex.FromPolarCoordinates(1, -2 * Math.PI * k / n) * odd[k];
            (result[k], result[k + n / 2]) = (even[k] + turned, even[k] - turned);
        }
        return result;
    }

    /// <summary>Least squares of log amplitude over log radius.</summary>
    private static double LogSlope(double[] spectrum, int from, int to)
    {
        var x = Enumerable.Range(from, to - from).Select(i => Math.Log(i)).ToArray();
        var y = spectrum[from..to].Select(value => Math.Log(value)).ToArray();
        double meanX = x.Average(), meanY = y.Average();
        double covariance = x.Zip(y).Sum(point => (point.First - meanX) * (point.Second - meanY));
        return covariance / x.Sum(value => (value - meanX) * (value - meanX));
    }
}
