using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>Periodic noise of 256 x 256 values with mean 0 and standard deviation 1, made once per process.</summary>
internal static class NaturalTextureTile
{
    public const int Size = 256;
    private static readonly Lazy<float[][]> LazyTiles = new(Create);

    /// <summary>Tiles of different character; the last two are pure 1/f noise.</summary>
    public static float[][] All => LazyTiles.Value;

    private static float[][] Create()
    {
        var tiles = new float[12][];
        for (int i = 0; i < tiles.Length; i++)
        {
            var random = new CounterRandom(0x7469_6C65, (ulong)i);
            tiles[i] = i switch
            {
                < 4 => Fractal(random, Size, 4 << i, 1),                                  // fur, grass, wood, streaks
                4 => Shaped(random, value => -Math.Abs(value)),                           // creases
                5 => Shaped(random, value => Math.Clamp(3 * value, -1, 1)),               // patches
                6 => Shaped(random, value => Triangle(2.5f * value)),                     // veins, rings
                7 => Waves(random, 16, (across, _, noise) => across + noise),             // stripes, folds
                8 => Waves(random, 8, (across, along, noise) => across * along + noise),  // cloth
                9 => Grain(random),
                _ => Fractal(random, Size, 1, 1),
            };
        }
        return tiles;
    }

    /// <summary>Triangle waves across and along, bent by noise.</summary>
    /// <param name="period">In pixels; divides the tile's size.</param>
    /// <param name="mix">Of both waves and some noise.</param>
    private static float[] Waves(CounterRandom random, int period, Func<float, float, float, float> mix)
    {
        var noise = Fractal(random, Size, 1, 1);
        var values = new float[noise.Length];
        for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
            {
                float bend = 0.5f * noise[y * Size + x];
                float across = Triangle(4f * y / period + bend), along = Triangle(4f * x / period + bend);
                values[y * Size + x] = mix(across, along, 0.3f * noise[x * Size + y]);
            }
        return Standardize(values);
    }

    private static float[] Grain(CounterRandom random)
    {
        var values = new float[Size * Size];
        for (int i = 0; i < values.Length; i++) values[i] = random.Uniform((ulong)i);
        return Standardize(values);
    }

    private static float[] Shaped(CounterRandom random, Converter<float, float> shape) =>
        Standardize(Array.ConvertAll(Fractal(random, Size, 1, 1), shape));

    /// <summary>Octaves of equal variance, each a periodic cubic B-spline with random coefficients: since an octave is
    /// a ring of the plane whose area grows with f^2, the amplitude falls with 1/f.</summary>
    /// <param name="stretchX">Power of two: how much longer the noise is along x. 1 for isotropic noise.</param>
    /// <param name="stretchY">As <paramref name="stretchX"/>, along y.</param>
    public static float[] Fractal(CounterRandom random, int size, int stretchX, int stretchY)
    {
        if (size < 4 || (size & (size - 1)) != 0)
            throw new ArgumentOutOfRangeException(nameof(size), size, "The period must be a power of two, at least 4.");

        var sum = new float[size * size];
        ulong draw = 0;
        for (int cell = size / 2; cell >= 1; cell /= 2)
        {
            int columns = size / Math.Min(cell * stretchX, size / 2);
            int rows = size / Math.Min(cell * stretchY, size / 2);
            var lattice = new float[columns * rows];
            for (int i = 0; i < lattice.Length; i++) lattice[i] = random.Uniform(draw++, -1, 1);
            var octave = Standardize(Interpolate(lattice, columns, rows, size));
            for (int i = 0; i < sum.Length; i++) sum[i] += octave[i];
        }
        return Standardize(sum);
    }

    private static float[] Interpolate(float[] lattice, int columns, int rows, int size)
    {
        var wide = new float[rows * size];
        var result = new float[size * size];
        for (int x = 0; x < size; x++)
        {
            Spline(x, size / columns, out int cell, out var weights);
            for (int row = 0; row < rows; row++)
            {
                float value = 0;
                for (int k = 0; k < 4; k++) value += weights[k] * lattice[row * columns + (cell + k) % columns];
                wide[row * size + x] = value;
            }
        }
        for (int y = 0; y < size; y++)
        {
            Spline(y, size / rows, out int cell, out var weights);
            for (int k = 0; k < 4; k++)
            {
                int source = (cell + k) % rows * size;
                for (int x = 0; x < size; x++) result[y * size + x] += weights[k] * wide[source + x];
            }
        }
        return result;
    }

    /// <summary>The cubic B-spline's weights of the four coefficients from <paramref name="cell"/> on.</summary>
    private static void Spline(int position, int cellSize, out int cell, out float[] weights)
    {
        cell = position / cellSize;
        float t = (float)(position % cellSize) / cellSize, s = 1 - t;
        float second = 4 - 6 * t * t + 3 * t * t * t, third = 4 - 6 * s * s + 3 * s * s * s;
        weights = [s * s * s / 6, second / 6, third / 6, t * t * t / 6];
    }

    private static float[] Standardize(float[] values)
    {
        double mean = 0, variance = 0;
        foreach (float value in values) mean += value;
        mean /= values.Length;
        foreach (float value in values) variance += (value - mean) * (value - mean);
        double scale = 1 / Math.Sqrt(variance / values.Length);
        return Array.ConvertAll(values, value => (float)((value - mean) * scale));
    }

    /// <summary>A triangle wave of period 4 and amplitude 1.</summary>
    private static float Triangle(float x) => Math.Abs(x - 4 * MathF.Floor(x / 4) - 2) - 1;
}
