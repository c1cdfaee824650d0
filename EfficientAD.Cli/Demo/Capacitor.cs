using System.Numerics;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>An electrolytic capacitor from above: a scored can in a sleeve whose stripe shows the polarity.</summary>
internal sealed class Capacitor(Placement placement, bool isDefect = false) : Layer(placement, isDefect)
{
    public const float Radius = 9;
    private const float Lid = 6.9f;
    private static readonly Vector3 Aluminium = Sample.Display(186, 187, 188), Sleeve = Sample.Display(30, 36, 62);
    private static readonly Vector3 Stripe = Sample.Display(150, 156, 176);

    public override float Reach => Radius + 8;

    protected override float Height => 1.7f;

    public override float Distance(float u, float v) => Disc(u, v, Radius);

    protected override Vector3 Surface(float u, float v, float distance)
    {
        float radius = distance + Radius, along = u * Light.U + v * Light.V;
        bool isStripe = u < -4.2f && Math.Abs(v) < 5;
        var colour = isStripe ? Stripe : Sleeve;
        colour *= 1 + 0.8f * EdgeLight(u, v, distance, 2.2f);

        float score = Math.Min(Box(u, v, 4.6f, 0.3f), Box(u, v, 0.3f, 4.6f));
        float light = 0.82f - 0.35f * along / Lid + 0.03f * SurfaceNoise.At(u * 2, v * 2);
        light *= 1 - 0.4f * Soft(score, 0.9f);
        light += 0.35f * Soft(Math.Abs(radius - Lid + 0.8f), 1) * (along < 0 ? 1 : -0.6f);
        return colour + (Aluminium * light - colour) * Cover(radius - Lid);
    }
}

/// <summary>Two tinned pads inside a printed circle, which a capacitor hides.</summary>
internal sealed class CapacitorPads(Placement placement) : Layer(placement)
{
    private const float Outline = 8.2f;
    private static readonly Vector3 Tin = Sample.Display(178, 178, 170), Print = Sample.Display(196, 202, 194);

    public override float Reach => Outline + 2;

    public override float Distance(float u, float v) => Math.Min(Ring(u, v), Pads(u, v));

    protected override Vector3 Surface(float u, float v, float distance)
    {
        if (Ring(u, v) < Pads(u, v)) return Print;
        float hole = Disc(Math.Abs(u) - 3.6f, v, 1);
        return Tin * ((1 + 0.3f * EdgeLight(u, v, distance, 1)) * (1 - 0.85f * Cover(hole)));
    }

    private static float Ring(float u, float v) => Math.Abs(Disc(u, v, Outline)) - 0.4f;

    private static float Pads(float u, float v) => Disc(Math.Abs(u) - 3.6f, v, 2.2f);
}
