using System.Numerics;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>A green circuit board with traces, vias and white print, sunk into its pocket.</summary>
/// <param name="hue">-1 to 1: solder resist varies from yellowish to bluish green.</param>
internal sealed class CircuitBoard(Placement placement, float hue) : Layer(placement)
{
    public const float HalfWidth = 53, HalfHeight = 43;
    private static readonly Vector3 Mask = Sample.Display(32, 96, 66), Trace = Sample.Display(52, 128, 84);
    private static readonly Vector3 Tin = Sample.Display(172, 172, 164), Print = Sample.Display(205, 210, 203);

    private static readonly (float U, float V)[][] Traces =
    [
        [(-6, -14), (4, -14), (12, -22), (26, -22)],
        [(-6, -6), (6, -6), (10, -2), (26, -2)],
        [(-6, 0), (2, 0), (14, 12), (46, 12)],
        [(-34, 6), (-34, 16), (-42, 24), (-42, 33)],
        [(-28, 6), (-28, 12), (-22, 18), (-22, 24)],
        [(-22, 6), (-22, 10), (-12, 20), (-12, 33), (4, 33)],
        [(-46, -12), (-49, -12), (-49, 30)],
        [(-46, -36), (20, -36), (44, -12), (44, 36), (10, 36)],
        [(10, 24), (38, 24)],
        [(-34, -30), (-34, -39), (-10, -39)],
    ];

    private static readonly (float U, float V)[] Vias =
    [
        (46, 12), (4, 33), (-49, 30), (10, 24), (38, 24), (-10, -39),
        (10, 36), (20, -36), (-46, -36), (2, 0), (-34, 16),
    ];

    public override float Reach => 70;

    public override float Distance(float u, float v) => Box(u, v, HalfWidth, HalfHeight, 2);

    protected override Vector3 Surface(float u, float v, float distance)
    {
        const float Far = 2;  // pixels: where a trace no longer shows
        float line = Far, via = Far;
        foreach (var trace in Traces)
            for (int i = 1; i < trace.Length; i++)
            {
                var (from, to) = (trace[i - 1], trace[i]);
                if (u < Math.Min(from.U, to.U) - Far || u > Math.Max(from.U, to.U) + Far) continue;
                if (v < Math.Min(from.V, to.V) - Far || v > Math.Max(from.V, to.V) + Far) continue;
                line = Math.Min(line, Segment(u, v, from.U, from.V, to.U, to.V, out _));
            }
        foreach (var (viaU, viaV) in Vias) via = Math.Min(via, Disc(u - viaU, v - viaV, 0));

        var colour = Mask * new Vector3(1 - 0.12f * hue, 1, 1 + 0.12f * hue);
        colour *= 1 + 0.025f * SurfaceNoise.At(u * 0.3f, v * 0.3f) + 0.03f * SurfaceNoise.At(u * 1.9f + 40, v * 1.9f);
        colour += (Trace - colour) * (0.75f * Soft(line - 0.7f, 0.8f));
        colour += (Tin - colour) * Soft(via - 1.4f, 0.7f);
        colour *= 1 - 0.85f * Soft(via - 0.6f, 0.6f);
        colour += (Print - colour) * (0.9f * PrintCover(u, v));

        float wall = Math.Min(u + HalfWidth, v + HalfHeight);          // the pocket's wall shades the upper left edges
        return colour * (1 - 0.45f * Soft(wall - 1.2f, 3.5f));
    }

    private static float PrintCover(float u, float v)
    {
        if (v > 36 && u < -10) return Lettering.Cover("CM-24", (u + 46) / 1.15f, (v - 36.2f) / 1.15f);
        if (v < -30 && u > 22) return Lettering.Cover("C1", (u - 40) / 1.1f, (v + 38) / 1.1f);
        return 0;
    }
}
