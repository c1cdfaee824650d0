using System.Numerics.Tensors;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Benchmarks;

/// <summary>Maps of noise, as no two pixels of a real map are equal either, and a mask that marks 3 % of the
/// pixels.</summary>
internal sealed class RandomMaps
{
    private const int Distinct = 16;

    private readonly AnomalyMap[] _maps;

    public RandomMaps(int side)
    {
        Mask = new GreyImage(side, side);
        int first = side / 3, last = first + (int)(0.173 * side);
        for (int y = first; y < last; y++) Mask.Pixels.AsSpan(y * side + first, last - first).Fill(255);
        _maps = [.. Enumerable.Range(0, Distinct).Select(index => Map(side, index))];
    }

    public GreyImage Mask { get; }

    public AnomalyMap this[int index] => _maps[index % Distinct];

    /// <summary>A map of this index alone: its scores are those of another one times about 1.</summary>
    public void Scale(int index, AnomalyMap target) =>
        TensorPrimitives.Multiply(this[index].Values, 1 + 1e-5f * index, target.Values);

    /// <summary>Most scores low, those of the defect higher but not all.</summary>
    private AnomalyMap Map(int side, int index)
    {
        var map = new AnomalyMap(side, side);
        var random = new CounterRandom(1, (ulong)index);
        for (int i = 0; i < map.Values.Length; i++)
        {
            float value = random.Uniform((ulong)i, 0, 1);
            map.Values[i] = value * value + (Mask.Pixels[i] != 0 ? 0.4f : 0);
        }

        return map;
    }
}
