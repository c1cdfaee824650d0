using System.Runtime.Intrinsics;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>Between kernels as they are stored, tap behind tap, and vectors over channels, [tap][lane].</summary>
internal static unsafe class TapVectors
{
    private const int Step = 4;

    /// <summary>The taps of some rows of weights as vectors over rows: [tap][lane].</summary>
    public static void Gather(float* source, WeightStrides strides, int rows, int taps, int lanes, float* gathered)
    {
        int quads = rows < lanes ? 0 : taps / Step * Step;
        for (int lane = 0; lane < lanes; lane++)
            for (int tap = quads; tap < taps; tap++)
                gathered[tap * lanes + lane] = lane < rows ? source[lane * strides.Row + tap * strides.Tap] : 0;

        // Taps lie one behind the other, perhaps in reverse.
        bool reversed = strides.Tap < 0;
        for (int lane = 0; lane < lanes; lane += Step)
            for (int tap = 0; tap < quads; tap += Step)
            {
                float* at = source + lane * strides.Row + (reversed ? -tap - (Step - 1) : tap);
                Vector128<float> a = Vector128.Load(at), b = Vector128.Load(at + strides.Row);
                Vector128<float> c = Vector128.Load(at + 2 * strides.Row), d = Vector128.Load(at + 3 * strides.Row);
                Transposition.Transpose(ref a, ref b, ref c, ref d);
                float* target = gathered + tap * lanes + lane;
                int step = reversed ? -lanes : lanes;
                if (reversed) target += (Step - 1) * lanes;
                a.Store(target);
                b.Store(target + step);
                c.Store(target + 2 * step);
                d.Store(target + 3 * step);
            }
    }

    /// <summary>Adds [tap][lane] to rows of taps.</summary>
    public static void Add(float* gathered, int taps, int rows, int lanes, float* target, nint rowPitch)
    {
        int quads = rows < lanes ? 0 : taps / Step * Step;
        for (int lane = 0; lane < rows; lane++)
            for (int tap = quads; tap < taps; tap++) target[lane * rowPitch + tap] += gathered[tap * lanes + lane];

        for (int tap = 0; tap < quads; tap += Step)
            for (int lane = 0; lane < lanes; lane += Step)
            {
                float* from = gathered + tap * lanes + lane, to = target + lane * rowPitch + tap;
                Vector128<float> a = Vector128.Load(from), b = Vector128.Load(from + lanes);
                Vector128<float> c = Vector128.Load(from + 2 * lanes), d = Vector128.Load(from + 3 * lanes);
                Transposition.Transpose(ref a, ref b, ref c, ref d);
                (a + Vector128.Load(to)).Store(to);
                (b + Vector128.Load(to + rowPitch)).Store(to + rowPitch);
                (c + Vector128.Load(to + 2 * rowPitch)).Store(to + 2 * rowPitch);
                (d + Vector128.Load(to + 3 * rowPitch)).Store(to + 3 * rowPitch);
            }
    }
}
