using System.Numerics;
using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Cli.Demo;

/// <summary>Lamp, lens and sensor: from reflectances to 8-bit pixels. All of it varies from image to image.</summary>
internal sealed class Camera
{
    /// <summary>Width and height of an image in pixels.</summary>
    public const int Size = 256;

    /// <summary>Samples per pixel in each direction.</summary>
    public const int Samples = 2;

    private const int Stride = 3 * Size;
    private readonly CounterRandom _noise;
    private readonly Vector3 _gain;
    private readonly float _lightX, _lightY, _vignetting, _blur, _noiseGain;

    /// <param name="random">The image's own; draws from <paramref name="first"/> on set the light and the lens.</param>
    /// <param name="noise">A stream of its own for the sensor's noise.</param>
    public Camera(CounterRandom random, ulong first, CounterRandom noise)
    {
        _noise = noise;
        float brightness = random.Uniform(first, 0.88f, 1.12f), warmth = random.Uniform(first + 1, -0.05f, 0.05f);
        _gain = new Vector3(1 + warmth, 1, 1 - warmth) * brightness;
        _lightX = random.Uniform(first + 2, -0.16f, 0.02f);
        _lightY = random.Uniform(first + 3, -0.18f, 0);
        _vignetting = random.Uniform(first + 4, 0.1f, 0.16f);
        _blur = random.Uniform(first + 5, 0.07f, 0.15f);
        _noiseGain = random.Uniform(first + 6, 0.9f, 1.1f);
    }

    public RgbImage Expose(Sample[] samples)
    {
        var light = Illuminate(samples);
        var image = new RgbImage(Size, Size);
        for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
            {
                _noise.Block((ulong)(y * Size + x), out uint a, out uint b, out uint c, out _);
                int pixel = y * Stride + 3 * x;
                image.Pixels[pixel] = Read(Blurred(light, x, y, 0), a);
                image.Pixels[pixel + 1] = Read(Blurred(light, x, y, 1), b);
                image.Pixels[pixel + 2] = Read(Blurred(light, x, y, 2), c);
            }
        return image;
    }

    /// <summary>255 wherever at least a quarter of what a pixel sees is defective, else 0.</summary>
    public static GreyImage Mask(Sample[] samples)
    {
        var mask = new GreyImage(Size, Size);
        for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
            {
                int i = y * Samples * Samples * Size + x * Samples;
                float sum = samples[i].Defect + samples[i + 1].Defect;
                sum += samples[i + Samples * Size].Defect + samples[i + Samples * Size + 1].Defect;
                mask.Pixels[y * Size + x] = sum >= 1 ? (byte)255 : (byte)0;
            }
        return mask;
    }

    /// <summary>Averages each pixel's samples and applies the lamp's unevenness and the lens's vignetting.</summary>
    private float[] Illuminate(Sample[] samples)
    {
        var light = new float[Size * Stride];
        for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
            {
                int i = y * Samples * Samples * Size + x * Samples;
                var sum = samples[i].Colour + samples[i + 1].Colour;
                sum += samples[i + Samples * Size].Colour + samples[i + Samples * Size + 1].Colour;
                float u = (2 * x + 1f) / Size - 1, v = (2 * y + 1f) / Size - 1;
                float falloff = (1 + _lightX * u + _lightY * v) * (1 - _vignetting * (u * u + v * v));
                var colour = sum * _gain * (falloff / (Samples * Samples));
                int pixel = y * Stride + 3 * x;
                (light[pixel], light[pixel + 1], light[pixel + 2]) = (colour.X, colour.Y, colour.Z);
            }
        return light;
    }

    private float Blurred(float[] light, int x, int y, int channel)
    {
        int here = 3 * x + channel, left = x > 0 ? here - 3 : here, right = x < Size - 1 ? here + 3 : here;
        int above = Math.Max(y - 1, 0), below = Math.Min(y + 1, Size - 1);
        float centre = 1 - 2 * _blur;
        return _blur * (Row(above * Stride) + Row(below * Stride)) + centre * Row(y * Stride);

        float Row(int row) => _blur * (light[row + left] + light[row + right]) + centre * light[row + here];
    }

    /// <summary>Adds shot and read noise, then gamma and rounding.</summary>
    /// <param name="bits">Their bytes' sum is nearly normal, with mean 510 and standard deviation 147.8.</param>
    private byte Read(float light, uint bits)
    {
        int sum = (int)((bits & 0xFF) + (bits >> 8 & 0xFF) + (bits >> 16 & 0xFF) + (bits >> 24));
        float normal = (sum - 510) / 147.8f;
        float deviation = _noiseGain * MathF.Sqrt(light * 1.4e-4f + 2e-6f);
        float exposed = Math.Max(light + deviation * normal, 0);
        return (byte)Math.Clamp(255 * MathF.Sqrt(exposed) + 0.5f, 0, 255);
    }
}
