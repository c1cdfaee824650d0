using System.Numerics;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>A small surface-mounted resistor between two solder joints.</summary>
internal sealed class Resistor(Placement placement) : Layer(placement)
{
    private const float HalfWidth = 3.4f, HalfHeight = 1.9f;
    private static readonly Vector3 Body = Sample.Display(34, 34, 38), Tin = Sample.Display(196, 196, 190);

    public override float Reach => 7;

    protected override float Height => 0.8f;

    public override float Distance(float u, float v) => Box(u, v, HalfWidth + 0.9f, HalfHeight + 0.4f, 0.6f);

    protected override Vector3 Surface(float u, float v, float distance)
    {
        var colour = Tin * (0.8f + 0.6f * EdgeLight(u, v, distance, 1.2f));
        return colour + (Body - colour) * Cover(Math.Abs(u) - HalfWidth + 1.2f);
    }
}
