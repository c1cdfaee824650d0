using System.Numerics;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>Something on the surface of the part, which components that are mounted higher may hide.</summary>
internal abstract class Blemish(Placement part) : Layer(part)
{
    public override float Reach => 130;

    /// <summary>What a surface of this colour becomes at a point of the part.</summary>
    /// <param name="strength">0 to 1: how much of the change shows.</param>
    protected abstract Vector3 Change(Vector3 colour, float u, float v, float distance, out float strength);

    protected override Vector3 Surface(float u, float v, float distance) => default;

    public override void Paint(float u, float v, ref Sample sample)
    {
        float distance = Distance(u, v);
        if (distance > 4) return;
        float body = Cover(Housing.Outline(u, v));
        if (body == 0) return;
        var changed = Change(sample.Colour, u, v, distance, out float strength);
        sample.Colour += (changed - sample.Colour) * (strength * body);
        sample.Mark(Cover(distance) * body);
    }
}

/// <summary>A curved scratch: a bright burr beside a dark groove, deeper and shallower along its way.</summary>
/// <param name="path">From, by way of (a Bezier curve's middle point), to.</param>
/// <param name="width">Of the burr, in pixels.</param>
/// <param name="depth">0 to 1: contrast.</param>
internal sealed class Scratch(Placement part, (float U, float V)[] path, float width, float depth) : Blemish(part)
{
    private const int Pieces = 8;
    private const float Paper = 0.64f;
    private static readonly Vector3 Burr = Sample.Display(250, 250, 246), Torn = Sample.Display(128, 128, 124);
    private readonly (float U, float V)[] _points = Flatten(path);

    public override float Distance(float u, float v) => Nearest(u, v, out _) - width / 2 - 0.3f;

    protected override Vector3 Change(Vector3 colour, float u, float v, float distance, out float strength)
    {
        float burr = Soft(distance + 0.3f, 0.7f);
        float beside = Nearest(u - 0.8f * Light.U, v - 0.8f * Light.V, out float along);
        float groove = Soft(beside - width / 2, 0.7f);
        float ends = Math.Min(1, 6 * Math.Min(along, 1 - along) + 0.25f);
        strength = ends * depth * Math.Clamp(1 + 0.3f * SurfaceNoise.At(along * 23, width * 50), 0.3f, 1.2f);
        strength = Math.Min(strength, 1);
        var scratched = colour * (1 - 0.85f * groove);
        var bare = colour.Y > Paper ? Torn : Burr;                     // white on paper would not be seen, nor is it so
        return scratched + (bare - scratched) * burr;
    }

    private float Nearest(float u, float v, out float along)
    {
        float nearest = float.MaxValue;
        along = 0;
        for (int i = 0; i < Pieces; i++)
        {
            var (from, to) = (_points[i], _points[i + 1]);
            float distance = Segment(u, v, from.U, from.V, to.U, to.V, out float piece);
            if (distance >= nearest) continue;
            (nearest, along) = (distance, (i + piece) / Pieces);
        }
        return nearest;
    }

    private static (float U, float V)[] Flatten((float U, float V)[] path)
    {
        var points = new (float U, float V)[Pieces + 1];
        for (int i = 0; i <= Pieces; i++)
        {
            float t = (float)i / Pieces, a = (1 - t) * (1 - t), b = 2 * t * (1 - t), c = t * t;
            points[i] = (a * path[0].U + b * path[1].U + c * path[2].U, a * path[0].V + b * path[1].V + c * path[2].V);
        }
        return points;
    }
}

/// <summary>A liquid, dried or wet: it filters the light that the surface reflects, most at its rim.</summary>
/// <param name="density">0 to 1: contrast.</param>
internal sealed class Stain(Placement part, StainShape shape, StainKind kind, float density) : Blemish(part)
{
    public override float Distance(float u, float v) => shape.Distance(u, v);

    protected override Vector3 Change(Vector3 colour, float u, float v, float distance, out float strength)
    {
        float rim = Soft(Math.Abs(distance + 1.5f) - 0.5f, 2.5f);
        float cloud = 0.85f + 0.12f * SurfaceNoise.At(u * 0.5f, v * 0.5f + shape.Ragged);
        strength = Math.Min(density * (cloud + 0.3f * rim), 1) * Soft(distance, 1.6f);
        return kind switch
        {
            StainKind.Oil => colour * new Vector3(0.3f, 0.22f, 0.1f),
            StainKind.Ink => colour * new Vector3(0.06f, 0.08f, 0.25f),
            StainKind.Rust => colour * 0.2f + new Vector3(0.2f, 0.07f, 0.02f),
            _ => colour * 0.4f + new Vector3(0.3f, 0.22f, 0.07f),
        };
    }
}

internal enum StainKind { Oil, Ink, Rust, Flux }

/// <summary>An ellipse with lobes.</summary>
/// <param name="Slant">Tangent of the long axis's angle.</param>
/// <param name="Ragged">Where in the noise its outline lies.</param>
internal sealed record StainShape(float U, float V, float Radius, float Slant, float Ragged)
{
    private readonly float _centre = Lobes(U, V, Ragged), _scale = 1 / MathF.Sqrt(1 + Slant * Slant);

    public float Distance(float u, float v)
    {
        float along = ((u - U) + (v - V) * Slant) * _scale, across = ((v - V) - (u - U) * Slant) * _scale;
        float ellipse = Disc(along * 0.8f, across * 1.2f, Radius);
        if (ellipse > Radius) return ellipse;
        return ellipse - 0.25f * Radius * Math.Clamp(Lobes(u, v, Ragged) - _centre, -1.5f, 1.5f);
    }

    private static float Lobes(float u, float v, float ragged) =>
        SurfaceNoise.At(u * 0.15f + ragged, v * 0.15f) + 0.5f * SurfaceNoise.At(u * 0.6f, v * 0.6f + ragged);
}
