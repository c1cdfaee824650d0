using System.Numerics;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>A turned steel screw with a cross recess, turned to whatever angle the driver left it at.</summary>
internal sealed class Screw(Placement placement, bool isDefect = false) : Layer(placement, isDefect)
{
    public const float Radius = 6.6f;
    private static readonly Vector3 Steel = Sample.Display(168, 170, 172), Recess = Sample.Display(38, 38, 40);

    public override float Reach => Radius + 6;

    protected override float Height => 1.6f;

    public override float Distance(float u, float v) => Disc(u, v, Radius);

    protected override Vector3 Surface(float u, float v, float distance)
    {
        // Turning grooves are circles: they shine where their tangent is across the light, in two opposite sectors.
        float radius2 = u * u + v * v + 0.3f, along = u * Light.U + v * Light.V;
        float sector = along * along / radius2;
        float light = 0.62f + 0.75f * sector * sector + 0.04f * SurfaceNoise.At(MathF.Sqrt(radius2) * 4, sector * 9);
        light += 0.45f * EdgeLight(u, v, distance, 1.7f);
        float cross = Math.Min(Box(u, v, 3.9f, 0.85f, 0.4f), Box(u, v, 0.85f, 3.9f, 0.4f));
        var colour = Steel * light;
        colour += (Recess - colour) * Soft(cross, 0.7f);
        return colour * (1 + 0.5f * Soft(Math.Abs(cross - 0.7f) - 0.2f, 0.8f) * (along > 0 ? 1 : 0));
    }
}

/// <summary>The threaded bore with its countersink, which a screw hides.</summary>
internal sealed class ScrewHole(Placement placement) : Layer(placement)
{
    private const float Countersink = 8.2f, Bore = 3.4f;
    private static readonly Vector3 Slope = Sample.Display(140, 143, 142), Depth = Sample.Display(22, 22, 23);

    public override float Reach => Countersink + 2;

    public override float Distance(float u, float v) => Disc(u, v, Countersink);

    protected override Vector3 Surface(float u, float v, float distance)
    {
        float radius = distance + Countersink, facing = (u * Light.U + v * Light.V) / (radius + 0.01f);
        var colour = Slope * (1 + 0.3f * facing);  // lit at the lower right, where it faces the lamp
        float thread = 0.5f + 0.5f * Math.Abs(2 * (radius - MathF.Floor(radius)) - 1);
        colour += (Depth * (0.4f + 1.5f * thread) - colour) * Cover(radius - Bore);
        return colour;
    }
}
