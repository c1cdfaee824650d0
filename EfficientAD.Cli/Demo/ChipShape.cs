using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>Where a piece of the housing's edge has broken off: nothing is left in the middle, and around it a slope of
/// bare fracture.</summary>
/// <param name="U">Of the centre, on the housing's outline.</param>
/// <param name="V">As <paramref name="U"/>.</param>
/// <param name="Radius">How far the damage reaches into the housing, about.</param>
/// <param name="Ragged">Where in the noise its outline lies.</param>
internal sealed record ChipShape(float U, float V, float Radius, float Ragged)
{
    /// <summary>Width of the fracture.</summary>
    public float Rim => 1 + 0.25f * Radius;

    public float Distance(float u, float v)
    {
        float disc = Disc(u - U, v - V, Radius);
        if (disc > 2 * Radius) return disc;
        float ragged = SurfaceNoise.At(u * 0.3f + Ragged, v * 0.3f);
        ragged += 0.5f * SurfaceNoise.At(u * 1.1f, v * 1.1f + Ragged);
        return disc + 0.24f * Radius * Math.Clamp(ragged, -1.5f, 1.5f);
    }

    /// <summary>Brightness of the fracture, relative to the same plastic when flat.</summary>
    public float Roughness(float u, float v, (float U, float V) light)
    {
        float distance = MathF.Sqrt((u - U) * (u - U) + (v - V) * (v - V)) + 0.01f;
        float facing = ((u - U) * light.U + (v - V) * light.V) / distance;  // the slope falls towards the centre
        return 0.85f + 0.3f * facing + 0.14f * SurfaceNoise.At(u * 1.3f, v * 1.3f + Ragged);
    }
}
