using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <remarks>The formulas and their order of rounding are those of torch.optim.Adam, but that what becomes
    /// <see cref="Negligible"/> becomes 0.</remarks>
    public void Adam(
        Tensor gradient, AdamSettings settings, int step, Tensor firstMoment, Tensor secondMoment, Tensor parameter)
    {
        RequireAdam(gradient, step, firstMoment, secondMoment, parameter);
        var coefficients = new AdamCoefficients(settings, step);
        RunRanges(parameter.Shape.Count, 1, (first, end) =>
        {
            float* g = Pointer(gradient), m = Pointer(firstMoment), v = Pointer(secondMoment), p = Pointer(parameter);
            AdamCoefficients local = coefficients;
            long i = first;
            for (; i + 8 <= end; i += 8)
            {
                Vector256<float> first256 = Vector256.Load(m + i), second256 = Vector256.Load(v + i);
                Update(local, Vector256.Load(g + i), ref first256, ref second256, Vector256.Load(p + i)).Store(p + i);
                first256.Store(m + i);
                second256.Store(v + i);
            }

            for (; i < end; i++)
            {
                Vector256<float> first1 = Vector256.Create(m[i]), second1 = Vector256.Create(v[i]);
                p[i] =
                    Update(local, Vector256.Create(g[i]), ref first1, ref second1, Vector256.Create(p[i])).ToScalar();
                m[i] = first1.ToScalar();
                v[i] = second1.ToScalar();
            }
        });
        parameter.MarkWritten();
    }

    /// <summary>Updates the moments and returns the new parameters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Update(
        AdamCoefficients c, Vector256<float> gradient, ref Vector256<float> first, ref Vector256<float> second,
        Vector256<float> parameter)
    {
        gradient += parameter * c.WeightDecay;
        first = Negligible.Drop(first * c.Beta1 + gradient * c.Rest1, Negligible.Moment);
        second = Negligible.Drop(second * c.Beta2 + gradient * c.Rest2 * gradient, Negligible.Moment);
        Vector256<float> epsilon = Vector256.Create(AdamSettings.Epsilon);
        Vector256<float> denominator = Vector256.Sqrt(second) / c.Correction2 + epsilon;
        return Negligible.Drop(parameter - first * c.StepSize / denominator, Negligible.Weight);
    }
}
