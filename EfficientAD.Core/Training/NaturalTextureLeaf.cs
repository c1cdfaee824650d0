using System.Runtime.CompilerServices;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>One opaque shape: an ellipse, cut by up to six straight edges, with colour, shading and texture.</summary>
/// <remarks>Convex, so that each row of pixels crosses it in one span.</remarks>
internal readonly struct NaturalTextureLeaf
{
    public const ulong DrawsPerLeaf = 36;
    private const float StrandLength = 10, ThinnestRadius = 0.7f;  // times as long as other leaves; pixels
    private const float Tilt = 0.05f;                              // half the tangent that upright leaves lean by
    private const float TileOne = 65536;  // 16.16 fixed point, so that the walk through the tile is exact

    private readonly float _x, _y, _majorRadius, _minorRadius, _axisX, _axisY;
    private readonly int _edgeCount;
    private readonly Edges _edges;
    private readonly float _red, _green, _blue, _shadeX, _shadeY, _texture;
    private readonly float[] _tile;
    private readonly int _tileX, _tileY, _tileStepX, _tileStepY;

    private NaturalTextureLeaf(
        CounterRandom random, ulong first, NaturalTextureStyle style, float x, float y, float radius, float thinness)
    {
        (_x, _y, _majorRadius) = (x, y, radius);
        _minorRadius = Math.Max(radius * (1 - thinness), ThinnestRadius);
        (_axisX, _axisY) = random.Uniform(first + 33) < style.Uprightness
            ? Upright(random, first + 4)
            : Direction(random, first + 4);
        (_red, _green, _blue) = style.Colour(random, first + 6);
        (float shadeX, float shadeY) = Direction(random, first + 10);
        (_shadeX, _shadeY) = (shadeX * style.Shading / radius, shadeY * style.Shading / radius);

        _texture = style.Texture * random.Uniform(first + 12, 0.2f, 1.6f);
        _tile = NaturalTextureTile.All[random.Below(first + 13, NaturalTextureTile.All.Length)];
        uint origin = random.Bits(first + 14);
        (_tileX, _tileY) = ((int)(origin & 0xFFFF) << 8, (int)(origin >> 16) << 8);
        float scale = TileOne * random.Uniform(first + 15, 0.5f, 1.4f);
        (_tileStepX, _tileStepY) = ((int)(_axisX * scale), (int)(_axisY * scale));

        if (random.Uniform(first + 16) < style.Angularity) _edgeCount = CutEdges(random, first + 17, out _edges);
    }

    /// <summary>Of the ellipse, in pixels.</summary>
    public float Area => MathF.PI * _majorRadius * _minorRadius;

    /// <summary>Leaves have density r^-3 between the style's smallest radius and half the image, before some become
    /// strands, and centres uniform over all places from where the largest could reach the image.</summary>
    /// <returns>False where this one does not reach it.</returns>
    public static bool TryDraw(
        CounterRandom random, ulong first, NaturalTextureStyle style, int size, out NaturalTextureLeaf leaf)
    {
        float smallest = style.SmallestRadius, largest = size / 2f, u = random.Uniform(first);
        float radius = 1 / MathF.Sqrt((1 - u) / (smallest * smallest) + u / (largest * largest));
        float x = random.Uniform(first + 1, -largest, size + largest);
        float y = random.Uniform(first + 2, -largest, size + largest);
        float longer = 1, thinness = style.Elongation * random.Uniform(first + 3);
        if (random.Uniform(first + 32) < style.Strands)
        {
            longer = Math.Min(StrandLength, largest / radius);
            thinness = 1 - random.Uniform(first + 3, 0.05f, 0.4f) / longer;
        }

        radius *= longer;
        bool reaches = x + radius > 0 && x - radius < size && y + radius > 0 && y - radius < size;
        leaf = reaches ? new NaturalTextureLeaf(random, first, style, x, y, radius, thinness) : default;
        return reaches;
    }

    /// <summary>A leaf that covers the whole image.</summary>
    public static NaturalTextureLeaf Background(
        CounterRandom random, ulong first, NaturalTextureStyle style, int size) =>
        new(random, first, style with { Angularity = 0 }, size / 2f, size / 2f, size, 0);

    /// <summary>Covers what lies below.</summary>
    /// <param name="canvas">[size, size, 3], linear in brightness, 1 is white.</param>
    public void Paint(Span<float> canvas, int size)
    {
        float major = _majorRadius * _axisY, minor = _minorRadius * _axisX;
        float extent = MathF.Sqrt(major * major + minor * minor);
        int top = Math.Max((int)MathF.Floor(_y - extent), 0);
        int bottom = Math.Min((int)MathF.Ceiling(_y + extent), size - 1);
        for (int y = top; y <= bottom; y++)
        {
            var upper = Cross(y - 0.25f - _y, size);  // two lines per row smooth the edges that are nearly horizontal
            var lower = Cross(y + 0.25f - _y, size);
            if (!upper.IsEmpty || !lower.IsEmpty) PaintRow(canvas.Slice(y * size * 3, size * 3), y, upper, lower);
        }
    }

    /// <summary>Where the horizontal line at distance <paramref name="dy"/> below the centre crosses the shape, inside
    /// the image.</summary>
    private Crossing Cross(float dy, int size)
    {
        float p = 1 / (_majorRadius * _majorRadius), q = 1 / (_minorRadius * _minorRadius);
        float a = _axisX * _axisX * p + _axisY * _axisY * q;           // a dx^2 + 2 b dx + c <= 0
        float b = _axisX * _axisY * (p - q) * dy;
        float c = (_axisY * _axisY * p + _axisX * _axisX * q) * dy * dy - 1;
        float discriminant = b * b - a * c;
        if (discriminant <= 0) return Crossing.Nothing;
        float root = MathF.Sqrt(discriminant), left = (-b - root) / a, right = (-b + root) / a;
        for (int i = 0; i < _edgeCount; i++)
        {
            (float edgeX, float edgeY, float distance) = _edges[i];    // edgeX u + edgeY v <= distance in the unit disc
            float slope = edgeX * _axisX / _majorRadius - edgeY * _axisY / _minorRadius;
            float rest = distance - (edgeX * _axisY / _majorRadius + edgeY * _axisX / _minorRadius) * dy;
            if (slope > 0) right = Math.Min(right, rest / slope);
            else if (slope < 0) left = Math.Max(left, rest / slope);
            else if (rest < 0) return Crossing.Nothing;
        }
        left = Math.Max(left + _x, -0.5f);
        right = Math.Min(right + _x, size - 0.5f);
        return left < right ? new Crossing(left, right) : Crossing.Nothing;
    }

    private void PaintRow(Span<float> row, int y, Crossing upper, Crossing lower)
    {
        int first = (int)MathF.Floor(Math.Min(upper.Left, lower.Left) + 0.5f);
        int last = Math.Min((int)MathF.Floor(Math.Max(upper.Right, lower.Right) + 0.5f), row.Length / 3 - 1);
        float opaqueLeft = Math.Max(upper.Left, lower.Left) + 0.5f;
        float opaqueRight = Math.Min(upper.Right, lower.Right) - 0.5f;
        int tileX = _tileX + first * _tileStepX - y * _tileStepY, tileY = _tileY + first * _tileStepY + y * _tileStepX;
        float shade = 1 + _shadeX * (first - _x) + _shadeY * (y - _y);
        for (int x = first; x <= last; x++)
        {
            float noise = _tile[(tileY >> 8 & 0xFF00) | (tileX >> 16 & 0xFF)];
            float brightness = shade + _texture * noise;
            var pixel = row.Slice(3 * x, 3);
            float cover = x >= opaqueLeft && x <= opaqueRight ? 1 : (upper.Cover(x) + lower.Cover(x)) / 2;
            pixel[0] += cover * (_red * brightness - pixel[0]);
            pixel[1] += cover * (_green * brightness - pixel[1]);
            pixel[2] += cover * (_blue * brightness - pixel[2]);
            shade += _shadeX;
            tileX += _tileStepX;
            tileY += _tileStepY;
        }
    }

    /// <summary>Half of the angular leaves become rectangles, the others polygons with rounded corners.</summary>
    private static int CutEdges(CounterRandom random, ulong first, out Edges edges)
    {
        edges = default;
        if (random.Uniform(first) < 0.5f)
        {
            for (int i = 0; i < 4; i++) edges[i] = (i < 2 ? 1 - 2 * i : 0, i < 2 ? 0 : 5 - 2 * i, 0.7071f);
            return 4;
        }
        int count = 1 + random.Below(first + 1, Edges.Capacity);
        for (int i = 0; i < count; i++)
        {
            (float x, float y) = Direction(random, first + 2 + 2 * (ulong)i);
            edges[i] = (x, y, 0.35f + 0.5f * i / Edges.Capacity);
        }
        return count;
    }

    /// <summary>A unit vector in any direction; the last bit of a sine would depend on the platform.</summary>
    private static (float X, float Y) Direction(CounterRandom random, ulong first)
    {
        (float x, float y) = AtHalfTangent(random.Uniform(first, -1, 1));
        return (random.Bits(first + 1) & 1) == 0 ? (x, y) : (-x, -y);
    }

    /// <summary>Nearly along one of the image's sides.</summary>
    private static (float X, float Y) Upright(CounterRandom random, ulong first)
    {
        (float x, float y) = AtHalfTangent(random.Uniform(first, -Tilt, Tilt));
        return (random.Bits(first + 1) & 1) == 0 ? (x, y) : (-y, x);
    }

    /// <param name="t">The tangent of half the unit vector's angle.</param>
    private static (float X, float Y) AtHalfTangent(float t)
    {
        float scale = 1 / (1 + t * t);
        return ((1 - t * t) * scale, 2 * t * scale);
    }

    /// <summary>A piece of a line. Where the line misses the shape, left is so far right of right that the minimum and
    /// maximum with another crossing are the other's.</summary>
    private readonly record struct Crossing(float Left, float Right)
    {
        public static Crossing Nothing => new(1e9f, -1e9f);

        public bool IsEmpty => Left >= Right;

        /// <summary>The fraction of pixel x, which is [x - 0.5, x + 0.5], that lies inside.</summary>
        public float Cover(int x) => Math.Max(Math.Min(Right, x + 0.5f) - Math.Max(Left, x - 0.5f), 0);
    }

    [InlineArray(Capacity)]
    private struct Edges
    {
        public const int Capacity = 6;
        private (float X, float Y, float Distance) _edge;
    }
}
