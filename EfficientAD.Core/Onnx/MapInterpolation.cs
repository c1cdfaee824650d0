using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;

namespace EfficientAD.Onnx;

/// <summary>The way from a raw map to the networks' input size in each <see cref="MapOrder"/>, as a matrix per
/// direction: map = rows * raw * columns^T.</summary>
internal static class MapInterpolation
{
    private const int Border = 4;
    private const float OutputStride = 4, FirstCentre = 16.5f, PaddedFirstCentre = 0.5f;

    /// <summary>Whether the raw map gets a border of zeros before it is resized.</summary>
    public static bool HasBorder(MapOrder order, bool padded) =>
        !padded && order is (MapOrder.Reference or MapOrder.Anomalib);

    /// <returns>[size][raw].</returns>
    public static float[] Matrix(MapOrder order, bool padded, int raw, int size)
    {
        bool hasBorder = HasBorder(order, padded);
        int border = hasBorder ? Border : 0;
        BilinearTaps taps = order == MapOrder.Aligned
            ? new BilinearTaps(raw, size, 1 / OutputStride, -(padded ? PaddedFirstCentre : FirstCentre) / OutputStride)
            : new BilinearTaps(raw + 2 * border, size);
        var matrix = new float[size * raw];
        for (int i = 0; i < size; i++)
        {
            Add(taps.Low[i] - border, 1 - taps.Fraction[i]);
            Add(taps.High[i] - border, taps.Fraction[i]);

            void Add(int column, float weight)
            {
                if (column >= 0 && column < raw) matrix[i * raw + column] += weight;
            }
        }

        return matrix;
    }
}
