using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <remarks>The formulas and their order of rounding are those of torch.optim.Adam.</remarks>
    public void Adam(
        Tensor gradient, AdamSettings settings, int step, Tensor firstMoment, Tensor secondMoment, Tensor parameter)
    {
        RequireAdam(gradient, step, firstMoment, secondMoment, parameter);
        var update = new AdamUpdate(settings, step);
        RunRanges(parameter.Shape.Count, 1, (first, end) =>
        {
            float* g = Pointer(gradient), m = Pointer(firstMoment), v = Pointer(secondMoment), p = Pointer(parameter);
            AdamUpdate local = update;
            long i = first;
            for (; i + 8 <= end; i += 8)
            {
                Vector256<float> first256 = Vector256.Load(m + i), second256 = Vector256.Load(v + i);
                local.Apply(Vector256.Load(g + i), ref first256, ref second256, Vector256.Load(p + i)).Store(p + i);
                first256.Store(m + i);
                second256.Store(v + i);
            }

            for (; i < end; i++)
            {
                Vector256<float> first1 = Vector256.Create(m[i]), second1 = Vector256.Create(v[i]);
                p[i] = local.Apply(Vector256.Create(g[i]), ref first1, ref second1, Vector256.Create(p[i])).ToScalar();
                m[i] = first1.ToScalar();
                v[i] = second1.ToScalar();
            }
        });
        parameter.MarkWritten();
    }

    private readonly struct AdamUpdate(AdamSettings settings, int step)
    {
        private readonly float _weightDecay = settings.WeightDecay;
        private readonly float _beta1 = (float)AdamSettings.Beta1, _rest1 = (float)(1 - AdamSettings.Beta1);
        private readonly float _beta2 = (float)AdamSettings.Beta2, _rest2 = (float)(1 - AdamSettings.Beta2);
        private readonly float _correction2 = (float)Math.Sqrt(1 - Math.Pow(AdamSettings.Beta2, step));
        private readonly float _stepSize = (float)(settings.LearningRate / (1 - Math.Pow(AdamSettings.Beta1, step)));

        /// <summary>Updates the moments and returns the new parameters.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Apply(
            Vector256<float> gradient, ref Vector256<float> first, ref Vector256<float> second,
            Vector256<float> parameter)
        {
            gradient += parameter * _weightDecay;
            first = first * _beta1 + gradient * _rest1;
            second = second * _beta2 + gradient * _rest2 * gradient;
            Vector256<float> epsilon = Vector256.Create(AdamSettings.Epsilon);
            Vector256<float> denominator = Vector256.Sqrt(second) / _correction2 + epsilon;
            return parameter - first * _stepSize / denominator;
        }
    }
}
