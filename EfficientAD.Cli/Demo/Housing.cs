using System.Numerics;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>The moulded plastic body of the part: grained, with a raised rim, a notch and two through holes.</summary>
/// <param name="shade">Reflectance relative to the nominal plastic: batches differ.</param>
/// <param name="grain">Where in the noise this part's surface lies.</param>
/// <param name="chip">A piece broken off, or null.</param>
internal sealed class Housing(Placement placement, float shade, float grain, ChipShape? chip) : Layer(placement)
{
    public const float HalfWidth = 94, HalfHeight = 71, CornerRadius = 11;
    private const float Rim = 3.2f;
    private static readonly Vector3 Plastic = Sample.Display(176, 180, 178), Fracture = Sample.Display(205, 208, 203);

    public static (float U, float V, float Radius)[] Holes { get; } = [(-34, 57, 4.6f), (28, -57, 4.6f)];

    public override float Reach => 130;

    protected override float Height => 6;

    protected override float Penumbra => 7;

    public override float Distance(float u, float v)
    {
        float distance = Outline(u, v);
        if (chip is null) return distance;
        float missing = chip.Distance(u, v) + chip.Rim;
        return Math.Max(distance, -missing);
    }

    /// <summary>A chip leaves the shadow on the belt as it was, which belongs to no mask.</summary>
    protected override float ShadowDistance(float u, float v) => Outline(u, v);

    /// <summary>To the body as it left the mould.</summary>
    public static float Outline(float u, float v)
    {
        float distance = Box(u, v, HalfWidth, HalfHeight, CornerRadius);
        distance = Math.Max(distance, -Disc(u + HalfWidth + 1, v - 4, 7));
        foreach (var (holeU, holeV, radius) in Holes)
            distance = Math.Max(distance, -Disc(u - holeU, v - holeV, radius));
        return distance;
    }

    /// <summary>Whether a point is so far inside that neither a hole nor the largest chip lets the belt be
    /// seen.</summary>
    public static bool Hides(float u, float v) => Math.Abs(u) < HalfWidth - 20 && Math.Abs(v) < HalfHeight - 20;

    public override void Paint(float u, float v, ref Sample sample)
    {
        if (Math.Abs(u) > HalfWidth + 12 || Math.Abs(v) > HalfHeight + 12) return;  // beyond the shadow
        base.Paint(u, v, ref sample);
        if (chip is not null)
            sample.Mark(Math.Min(Cover(chip.Distance(u, v)), Cover(Outline(u, v))));
    }

    protected override Vector3 Surface(float u, float v, float distance)
    {
        float light = 1 + 0.02f * SurfaceNoise.At(u * 0.5f + grain, v * 0.5f);
        light += 0.035f * SurfaceNoise.At(u * 2.1f, v * 2.1f + grain);
        light += 0.55f * EdgeLight(u, v, distance, 1.6f);
        float step = (chip is null ? distance : Outline(u, v)) + Rim + 0.7f;  // where the rim falls to the face
        light += 0.16f * Math.Max(1 - Math.Abs(step), 0) * (v * Light.V + u * Light.U > 0 ? 1 : -1);
        light += 0.12f / (1 + ((u + 70) * (u + 70) + (v + 90) * (v + 90)) / 3600);  // the lamp's broad reflection
        light += DateWheel(u - 52, v - 56);
        if (chip is not null && chip.Distance(u, v) < 0) return Fracture * (shade * chip.Roughness(u, v, Light));
        return Plastic * (light * shade);
    }

    /// <summary>The embossed ring with an arrow by which moulders date their parts.</summary>
    private static float DateWheel(float u, float v)
    {
        float ring = Math.Abs(Disc(u, v, 6));
        if (ring > 7) return 0;
        float arrow = Segment(u, v, -2.5f, 3, 2, -3, out _);
        float line = Math.Min(ring, arrow);
        return 0.14f * (Soft(line - 0.2f, 1.4f) - 1.5f * Soft(Math.Abs(line - 1.1f), 1.2f));
    }
}

/// <summary>The pocket in the housing in which the circuit board lies.</summary>
internal sealed class Pocket(Placement placement) : Layer(placement)
{
    private static readonly Vector3 Dark = Sample.Display(58, 60, 60);

    public override float Reach => 76;

    public override float Distance(float u, float v) =>
        Box(u, v, CircuitBoard.HalfWidth + 2.2f, CircuitBoard.HalfHeight + 2.2f, 4);

    protected override Vector3 Surface(float u, float v, float distance) =>
        Dark * (1 - 0.7f * EdgeLight(u, v, distance, 3));
}
