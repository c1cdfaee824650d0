using System.Numerics;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>A pin header: an ivory shroud with six gilded pins in it.</summary>
internal sealed class Connector(Placement placement, bool isDefect = false) : Layer(placement, isDefect)
{
    public const float HalfWidth = 17, HalfHeight = 8;
    private static readonly Vector3 Ivory = Sample.Display(214, 207, 186), Inside = Sample.Display(84, 80, 70);
    private static readonly Vector3 Gold = Sample.Display(226, 186, 96);

    public override float Reach => HalfWidth + 8;

    protected override float Height => 1.7f;

    public override float Distance(float u, float v)
    {
        float key = Box(u, v + HalfHeight, 4, 1.6f);   // the slot that fits only one way round
        return Math.Max(Box(u, v, HalfWidth, HalfHeight, 1.2f), -key);
    }

    protected override Vector3 Surface(float u, float v, float distance)
    {
        float grain = SurfaceNoise.At(u * 1.5f, v * 1.5f);
        var colour = Ivory * (0.9f + 0.3f * EdgeLight(u, v, distance, 1.3f) + 0.02f * grain);
        float cavity = Box(u, v - 0.4f, HalfWidth - 2.6f, HalfHeight - 3, 0.8f);
        if (cavity > 1) return colour;

        float wall = Math.Min(u + HalfWidth - 2.6f, v + HalfHeight - 3.4f);
        colour += (Inside * (1 - 0.6f * Soft(wall - 1, 3)) - colour) * Cover(cavity);
        float pin = MathF.Floor(u / 4.6f) * 4.6f + 2.3f;
        float square = Box(u - pin, v - 0.4f, 1.25f, 1.25f, 0.3f);
        var gold = Gold * (0.85f - 0.35f * ((u - pin) * Light.U + v * Light.V));
        return colour + (gold - colour) * Cover(square);
    }
}

/// <summary>The bare socket with six plated bores, which a connector hides.</summary>
internal sealed class ConnectorSeat(Placement placement) : Layer(placement)
{
    private static readonly Vector3 Floor = Sample.Display(150, 153, 152), Gold = Sample.Display(200, 170, 96);

    public override float Reach => 20;

    public override float Distance(float u, float v) => Box(u, v, 15.5f, 6.5f, 1);

    protected override Vector3 Surface(float u, float v, float distance)
    {
        var colour = Floor * (1 - 0.5f * EdgeLight(u, v, distance, 1.2f));
        float bore = Disc(u - MathF.Floor(u / 4.6f) * 4.6f - 2.3f, v, 0);
        colour += (Gold - colour) * Cover(bore - 1.8f);
        return colour * (1 - 0.9f * Cover(bore - 1));
    }
}
