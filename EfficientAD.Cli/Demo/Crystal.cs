using System.Numerics;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>A quartz crystal in its oblong steel can.</summary>
internal sealed class Crystal(Placement placement, bool isDefect = false) : Layer(placement, isDefect)
{
    private const float HalfWidth = 4.6f, HalfHeight = 10.5f;
    private static readonly Vector3 Steel = Sample.Display(170, 168, 160);

    public override float Reach => HalfHeight + 6;

    protected override float Height => 1.7f;

    public override float Distance(float u, float v) => Box(u, v, HalfWidth, HalfHeight, HalfWidth);

    protected override Vector3 Surface(float u, float v, float distance)
    {
        float light = 0.75f + 0.04f * SurfaceNoise.At(u * 2.4f, v * 0.5f) + 0.6f * EdgeLight(u, v, distance, 2);
        float crease = Soft(Math.Abs(distance + 2.6f) - 0.2f, 1);
        light += 0.5f * crease * (u * Light.U + v * Light.V < 0 ? 1 : -0.5f);
        float text = Lettering.Cover("16.0", (v + 8) / 1.05f, (2.6f - u) / 1.05f);  // reads downwards
        return Steel * (light * (1 - 0.4f * text));
    }
}

/// <summary>Two pads in a printed frame, which a crystal hides.</summary>
internal sealed class CrystalPads(Placement placement) : Layer(placement)
{
    private static readonly Vector3 Tin = Sample.Display(178, 178, 170), Print = Sample.Display(196, 202, 194);

    public override float Reach => 14;

    public override float Distance(float u, float v) => Math.Min(Frame(u, v), Pads(u, v));

    protected override Vector3 Surface(float u, float v, float distance) =>
        Frame(u, v) < Pads(u, v) ? Print : Tin * (1 + 0.3f * EdgeLight(u, v, distance, 1));

    private static float Frame(float u, float v) => Math.Abs(Box(u, v, 4, 10, 4)) - 0.4f;

    private static float Pads(float u, float v) => Box(u, Math.Abs(v) - 5.5f, 1.8f, 2.2f, 0.5f);
}
