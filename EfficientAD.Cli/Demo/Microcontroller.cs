using System.Numerics;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>A black package with pins on four sides, a dot at pin 1 and laser print.</summary>
internal sealed class Microcontroller(Placement placement) : Layer(placement)
{
    private const float Body = 14.5f, Pins = 18.5f, Pitch = 3.2f;
    private static readonly Vector3 Resin = Sample.Display(44, 44, 46), Tin = Sample.Display(190, 190, 186);
    private static readonly Vector3 Laser = Sample.Display(112, 112, 110);

    public override float Reach => 32;

    protected override float Height => 1.4f;

    public override float Distance(float u, float v) =>
        Math.Min(Box(u, v, Body, Body, 1), PinDistance(u, v));

    protected override Vector3 Surface(float u, float v, float distance)
    {
        float body = Box(u, v, Body, Body, 1);
        float beyond = Math.Max(Math.Abs(u), Math.Abs(v)) - Body;       // pins slope down to the board
        var colour = Tin * (1 - 0.13f * beyond + 0.3f * EdgeLight(u, v, distance, 1));
        if (body > 0.5f) return colour;

        float light = 1 + 0.07f * SurfaceNoise.At(u * 1.6f, v * 1.6f) + 0.9f * EdgeLight(u, v, body, 1.5f);
        var resin = Resin * light;
        resin *= 1 - 0.6f * Cover(Disc(u + 10.5f, v + 10.5f, 1.7f));
        float column = (u + 10) / 1.1f;
        float print = Lettering.Cover("EAD32", column, (v + 4) / 1.1f);
        print += Lettering.Cover("2404", column, (v - 4) / 1.1f);
        resin += (Laser - resin) * (0.8f * print);
        return colour + (resin - colour) * Cover(body);
    }

    private static float PinDistance(float u, float v)
    {
        (float along, float across) = Math.Abs(u) > Math.Abs(v) ? (v, Math.Abs(u)) : (u, Math.Abs(v));
        float nearest = Math.Clamp(MathF.Floor(along / Pitch + 0.5f), -4, 4) * Pitch;
        return Box(along - nearest, across - Pins / 2, 0.85f, Pins / 2);
    }
}
