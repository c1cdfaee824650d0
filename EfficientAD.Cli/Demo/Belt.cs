using System.Numerics;
using EfficientAD.Tensors;
using static EfficientAD.Cli.Demo.SignedDistance;

namespace EfficientAD.Cli.Demo;

/// <summary>A woven conveyor belt between two steel rails. It runs along x: each image shows another piece.</summary>
internal sealed class Belt
{
    private const float Thread = 4.6f, RailWidth = 13;
    private const int Specks = 7;
    private static readonly Vector3 Fabric = Sample.Display(74, 84, 92), Steel = Sample.Display(150, 152, 155);

    private readonly float _travel, _wander;
    private readonly (float X, float Y, float Radius, float Tone)[] _specks = new (float, float, float, float)[Specks];

    public Belt(CounterRandom random, ulong first)
    {
        _travel = random.Uniform(first, 0, 4000);
        _wander = random.Uniform(first + 1, -1.5f, 1.5f);
        for (int i = 0; i < Specks; i++)
        {
            ulong draw = first + 2 + 4 * (ulong)i;
            _specks[i] = (random.Uniform(draw, 0, Camera.Size), random.Uniform(draw + 1, 0, Camera.Size),
                random.Uniform(draw + 2, 0.2f, 1.1f), random.Uniform(draw + 3, 0.02f, 0.3f));
        }
    }

    public Vector3 Colour(float x, float y)
    {
        float rail = Math.Min(y - _wander * 0.2f, Camera.Size - y + _wander * 0.2f) - RailWidth;  // negative on a rail
        float cover = Cover(rail);
        var colour = cover < 1 ? Woven(x + _travel, y + _wander, x, y) : default;
        if (cover < 1) colour *= 1 - 0.6f * Soft(rail - 2, 7);
        return cover > 0 ? colour + (Rail(x, rail) - colour) * cover : colour;
    }

    private Vector3 Woven(float along, float across, float x, float y)
    {
        float column = along / Thread, row = across / Thread;
        float floorU = MathF.Floor(column), floorV = MathF.Floor(row);
        float u = 2 * (column - floorU) - 1, v = 2 * (row - floorV) - 1;
        bool warp = ((int)floorU + (int)floorV & 1) == 0;              // which of the two threads lies on top
        float round = warp ? 1 - u * u : 1 - v * v, arch = warp ? 1 - v * v : 1 - u * u;
        float weave = 0.62f + round * (0.3f + 0.25f * arch) + (warp ? 0.03f : 0);

        float wear = 0.06f * SurfaceNoise.At(along * 0.21f, across * 0.9f);
        wear += 0.1f * SurfaceNoise.At(along * 0.07f + 90, across * 0.11f);
        float fibre = 0.07f * SurfaceNoise.At(along * 1.7f, across * 1.7f + 31);
        var colour = Fabric * (weave * (1 + wear + fibre));
        foreach (var speck in _specks)
        {
            float du = x - speck.X, dv = y - speck.Y;
            if (du * du + dv * dv > 4) continue;
            float cover = 0.8f * Soft(Disc(du, dv, speck.Radius), 1);
            colour += (new Vector3(speck.Tone) - colour) * cover;
        }
        return colour;
    }

    /// <summary>Brushed along the belt, rounded, with one long highlight.</summary>
    private static Vector3 Rail(float x, float depth)
    {
        float brushed = 1 + 0.06f * SurfaceNoise.At(x * 0.06f, depth * 2.3f);
        brushed += 0.03f * SurfaceNoise.At(x * 0.4f, depth * 3.1f + 77);
        float bend = depth + 6, highlight = 0.5f / (1 + 0.35f * bend * bend);
        return Steel * (brushed * (0.55f - 0.02f * depth + highlight));
    }
}
