using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    public void Dropout(Tensor input, float rate, CounterRandom random, Tensor output)
    {
        RequireSameShape(input, output);
        int limit = RequireRate(rate);
        float keep = 1 - rate;
        RunRanges(input.Shape.Count, 1, (first, end) =>
        {
            float* source = Pointer(input), destination = Pointer(output);
            long i = first;
            for (; i + PhiloxVectors.Draws <= end; i += PhiloxVectors.Draws)
            {
                (Vector256<float> low, Vector256<float> high) = Dropped(random, i, limit);
                Vector256.AndNot(Vector256.Load(source + i) / keep, low).Store(destination + i);
                Vector256.AndNot(Vector256.Load(source + i + 8) / keep, high).Store(destination + i + 8);
            }

            for (; i < end; i++) destination[i] = random.Uniform((ulong)i) < rate ? 0 : source[i] / keep;
        });
    }

    public void DropoutBackward(Tensor outputGradient, float rate, CounterRandom random, Tensor inputGradient)
    {
        RequireSameShape(outputGradient, inputGradient);
        int limit = RequireRate(rate);
        float keep = 1 - rate;
        RunRanges(outputGradient.Shape.Count, 1, (first, end) =>
        {
            float* source = Pointer(outputGradient), destination = Pointer(inputGradient);
            long i = first;
            for (; i + PhiloxVectors.Draws <= end; i += PhiloxVectors.Draws)
            {
                (Vector256<float> low, Vector256<float> high) = Dropped(random, i, limit);
                Vector256<float> first8 = Vector256.AndNot(Vector256.Load(source + i) / keep, low);
                Vector256<float> second8 = Vector256.AndNot(Vector256.Load(source + i + 8) / keep, high);
                (Vector256.Load(destination + i) + first8).Store(destination + i);
                (Vector256.Load(destination + i + 8) + second8).Store(destination + i + 8);
            }

            for (; i < end; i++)
                if (!(random.Uniform((ulong)i) < rate)) destination[i] += source[i] / keep;
        });
    }

    /// <summary>Which of the values index .. index + 15 are dropped, as masks; index is a multiple of four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Low, Vector256<float> High) Dropped(CounterRandom random, long index, int limit)
    {
        (Vector256<uint> low, Vector256<uint> high) = PhiloxVectors.Bits(random, (ulong)index / 4);
        return (IsBelow(low >>> 8, limit), IsBelow(high >>> 8, limit));

        static Vector256<float> IsBelow(Vector256<uint> draws, int limit) =>
            Vector256.LessThan(draws.AsInt32(), Vector256.Create(limit)).AsSingle();
    }
}
