namespace EfficientAD.Detection;

/// <summary>One anomaly score per pixel, rows from top to bottom; higher is more anomalous.</summary>
public sealed class AnomalyMap
{
    public AnomalyMap(int width, int height) : this(width, height, new float[checked(width * height)]) { }

    public AnomalyMap(int width, int height, float[] values)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (values.Length != (long)width * height)
        {
            throw new ArgumentException(
                $"A {width} x {height} map has {(long)width * height} values, not {values.Length}.", nameof(values));
        }

        (Width, Height, Values) = (width, height, values);
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>The score of pixel (x, y) at y * Width + x.</summary>
    public float[] Values { get; }
}
