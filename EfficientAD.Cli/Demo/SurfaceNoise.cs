using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Cli.Demo;

/// <summary>Periodic 1/f noise as a continuous function of the plane: mean 0, standard deviation about 1.</summary>
internal static class SurfaceNoise
{
    private const int Period = 256;
    private static readonly float[] Tile = NaturalTexture.Noise(new CounterRandom(0x6265_6C74, 0), Period);

    public static float At(float u, float v)
    {
        float floorU = MathF.Floor(u), floorV = MathF.Floor(v), fractionU = u - floorU, fractionV = v - floorV;
        int left = (int)floorU & Period - 1, right = left + 1 & Period - 1;
        int top = ((int)floorV & Period - 1) * Period, bottom = ((int)floorV + 1 & Period - 1) * Period;
        float above = Tile[top + left] + fractionU * (Tile[top + right] - Tile[top + left]);
        float below = Tile[bottom + left] + fractionU * (Tile[bottom + right] - Tile[bottom + left]);
        return above + fractionV * (below - above);
    }
}
