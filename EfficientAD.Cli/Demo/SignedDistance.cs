namespace EfficientAD.Cli.Demo;

/// <summary>Distances in pixels to the outlines of shapes around the origin: negative inside.</summary>
internal static class SignedDistance
{
    public static float Disc(float u, float v, float radius) => MathF.Sqrt(u * u + v * v) - radius;

    public static float Box(float u, float v, float halfWidth, float halfHeight, float cornerRadius = 0)
    {
        float du = Math.Abs(u) - halfWidth + cornerRadius, dv = Math.Abs(v) - halfHeight + cornerRadius;
        float outsideU = Math.Max(du, 0), outsideV = Math.Max(dv, 0);
        return MathF.Sqrt(outsideU * outsideU + outsideV * outsideV) + Math.Min(Math.Max(du, dv), 0) - cornerRadius;
    }

    /// <summary>Distance to the line from (u0, v0) to (u1, v1), which has no inside.</summary>
    /// <param name="along">0 at the first end, 1 at the second.</param>
    public static float Segment(float u, float v, float u0, float v0, float u1, float v1, out float along)
    {
        float lengthU = u1 - u0, lengthV = v1 - v0;
        along = ((u - u0) * lengthU + (v - v0) * lengthV) / (lengthU * lengthU + lengthV * lengthV);
        along = Math.Clamp(along, 0, 1);
        float du = u - u0 - along * lengthU, dv = v - v0 - along * lengthV;
        return MathF.Sqrt(du * du + dv * dv);
    }

    /// <summary>The fraction of a sample (half a pixel wide) that lies inside an outline at this distance.</summary>
    public static float Cover(float distance) => Math.Clamp(0.5f - 2 * distance, 0, 1);

    /// <summary>1 well inside, 0 well outside, a smooth step of the given width between.</summary>
    public static float Soft(float distance, float width)
    {
        float t = Math.Clamp(0.5f - distance / width, 0, 1);
        return t * t * (3 - 2 * t);
    }
}
