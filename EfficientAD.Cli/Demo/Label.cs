using System.Numerics;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>A paper label with a bar code, the type and a serial number.</summary>
/// <param name="serial">0 to 99: printed in digits and as the last bars.</param>
internal sealed class Label(Placement placement, int serial, bool isDefect = false) : Layer(placement, isDefect)
{
    public const float HalfWidth = 18, HalfHeight = 22;
    private const ulong Bars = 0b1101_0011_0101_1001_1011_0100_1101_01;  // one bit per 1.05 pixels
    private const int BarCount = 30, SerialBits = 7;
    private static readonly Vector3 Paper = Sample.Display(222, 222, 214), Ink = Sample.Display(38, 38, 42);
    private readonly string _serial = $"SN {40700 + serial}";

    public override float Reach => 30;

    protected override float Height => 0.5f;

    public override float Distance(float u, float v) => Box(u, v, HalfWidth, HalfHeight, 1.5f);

    protected override Vector3 Surface(float u, float v, float distance)
    {
        float cloud = SurfaceNoise.At(u * 0.8f, v * 0.8f);
        var paper = Paper * (1 + 0.015f * cloud + 0.15f * EdgeLight(u, v, distance, 0.8f));
        return paper + (Ink - paper) * (0.92f * Print(u, v));
    }

    private float Print(float u, float v)
    {
        if (v < -5) return Math.Abs(u) < 15.7f && v > -19 && v < -7.5f ? Bar((int)((u + 15.75f) / 1.05f)) : 0;
        if (v < 4) return Lettering.Cover("EAD-24", (u + 15) / 1.3f, (v + 3.5f) / 1.3f);
        if (v < 12) return Lettering.Cover(_serial, (u + 15) / 0.95f, (v - 6) / 0.95f);
        return v > 13.5f && v < 18 ? Lettering.Cover("24V DC", (u + 15) / 0.95f, (v - 13.6f) / 0.95f) : 0;
    }

    private float Bar(int index) =>
        ((index < BarCount - SerialBits ? Bars >> index : (ulong)serial >> (BarCount - 1 - index)) & 1) != 0 ? 1 : 0;
}

/// <summary>The shallow recess that shows where the label goes.</summary>
internal sealed class LabelSeat(Placement placement) : Layer(placement)
{
    public override float Reach => 32;

    public override float Distance(float u, float v) =>
        Box(u, v, Label.HalfWidth + 1.5f, Label.HalfHeight + 1.5f, 2);

    protected override Vector3 Surface(float u, float v, float distance) => default;

    public override void Paint(float u, float v, ref Sample sample)
    {
        float distance = Distance(u, v);
        sample.Colour *= 1 + Cover(distance) * (0.04f - 0.25f * EdgeLight(u, v, distance, 1.2f));
    }
}
