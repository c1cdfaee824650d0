using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EfficientAD.Backends;

/// <summary>Numbers that are taken for 0 since no result shows them. L2 decay shrinks the weights of units that never
/// fire without end, and a few layers of such weights multiply to subnormal numbers, at each of which a CPU stops
/// for a hundred cycles: a trained autoencoder that had died so made detection three times slower.</summary>
internal static class Negligible
{
    /// <summary>Weights of a layer that does anything are some 1e-2: beside them a 32-bit sum loses it.</summary>
    public const float Weight = 1e-15f;

    /// <summary>Of Adam's moments. The square root of the second is added to 1e-8, and the first moves a weight by
    /// less than 1e-22 of the learning rate.</summary>
    public const float Moment = 1e-30f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Drop(Vector256<float> values, float bound) =>
        Vector256.AndNot(values, Vector256.LessThan(Vector256.Abs(values), Vector256.Create(bound)));

    /// <summary>Sets negligible weights to 0.</summary>
    public static void DropWeights(Span<float> weights)
    {
        foreach (ref float weight in weights)
            if (MathF.Abs(weight) < Weight) weight = 0;
    }
}
