using System.Runtime.CompilerServices;

namespace EfficientAD.Backends.Cpu;

/// <summary>Register tiles for processors with 16 vector registers: 12 and 8 accumulators (4 x 3, 4 x 2).</summary>
internal readonly unsafe struct NarrowKernels<TVector, TLanes> : IConvolutionKernels
    where TLanes : struct, ILanes<TVector>
{
    public static int Rows => 4;

    public static int Columns => 3 * TLanes.Width;

    public static int CorrelationRows => 4;

    public static int CorrelationTaps => 2;

    public static int Lanes => TLanes.Width;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        float* a, float* b, int depth, float* bias, bool accumulate, bool relu, float* c, nint pitch)
    {
        TVector c00, c01, c02;
        TVector c10, c11, c12;
        TVector c20, c21, c22;
        TVector c30, c31, c32;
        if (accumulate)
        {
            c00 = TLanes.Load(c);
            c01 = TLanes.Load(c + TLanes.Width);
            c02 = TLanes.Load(c + 2 * TLanes.Width);
            c10 = TLanes.Load(c + pitch);
            c11 = TLanes.Load(c + pitch + TLanes.Width);
            c12 = TLanes.Load(c + pitch + 2 * TLanes.Width);
            c20 = TLanes.Load(c + 2 * pitch);
            c21 = TLanes.Load(c + 2 * pitch + TLanes.Width);
            c22 = TLanes.Load(c + 2 * pitch + 2 * TLanes.Width);
            c30 = TLanes.Load(c + 3 * pitch);
            c31 = TLanes.Load(c + 3 * pitch + TLanes.Width);
            c32 = TLanes.Load(c + 3 * pitch + 2 * TLanes.Width);
        }
        else
        {
            c00 = c01 = c02 = TLanes.Broadcast(bias[0]);
            c10 = c11 = c12 = TLanes.Broadcast(bias[1]);
            c20 = c21 = c22 = TLanes.Broadcast(bias[2]);
            c30 = c31 = c32 = TLanes.Broadcast(bias[3]);
        }

        for (float* end = a + (nint)depth * 4; a != end; a += 4, b += 3 * TLanes.Width)
        {
            TVector b0 = TLanes.Load(b), b1 = TLanes.Load(b + TLanes.Width), b2 = TLanes.Load(b + 2 * TLanes.Width);
            TVector a0 = TLanes.Broadcast(a[0]);
            c00 = TLanes.MultiplyAdd(a0, b0, c00);
            c01 = TLanes.MultiplyAdd(a0, b1, c01);
            c02 = TLanes.MultiplyAdd(a0, b2, c02);
            TVector a1 = TLanes.Broadcast(a[1]);
            c10 = TLanes.MultiplyAdd(a1, b0, c10);
            c11 = TLanes.MultiplyAdd(a1, b1, c11);
            c12 = TLanes.MultiplyAdd(a1, b2, c12);
            TVector a2 = TLanes.Broadcast(a[2]);
            c20 = TLanes.MultiplyAdd(a2, b0, c20);
            c21 = TLanes.MultiplyAdd(a2, b1, c21);
            c22 = TLanes.MultiplyAdd(a2, b2, c22);
            TVector a3 = TLanes.Broadcast(a[3]);
            c30 = TLanes.MultiplyAdd(a3, b0, c30);
            c31 = TLanes.MultiplyAdd(a3, b1, c31);
            c32 = TLanes.MultiplyAdd(a3, b2, c32);
        }

        if (relu)
        {
            (c00, c01, c02) = (TLanes.Rectify(c00), TLanes.Rectify(c01), TLanes.Rectify(c02));
            (c10, c11, c12) = (TLanes.Rectify(c10), TLanes.Rectify(c11), TLanes.Rectify(c12));
            (c20, c21, c22) = (TLanes.Rectify(c20), TLanes.Rectify(c21), TLanes.Rectify(c22));
            (c30, c31, c32) = (TLanes.Rectify(c30), TLanes.Rectify(c31), TLanes.Rectify(c32));
        }

        TLanes.Store(c00, c);
        TLanes.Store(c01, c + TLanes.Width);
        TLanes.Store(c02, c + 2 * TLanes.Width);
        TLanes.Store(c10, c + pitch);
        TLanes.Store(c11, c + pitch + TLanes.Width);
        TLanes.Store(c12, c + pitch + 2 * TLanes.Width);
        TLanes.Store(c20, c + 2 * pitch);
        TLanes.Store(c21, c + 2 * pitch + TLanes.Width);
        TLanes.Store(c22, c + 2 * pitch + 2 * TLanes.Width);
        TLanes.Store(c30, c + 3 * pitch);
        TLanes.Store(c31, c + 3 * pitch + TLanes.Width);
        TLanes.Store(c32, c + 3 * pitch + 2 * TLanes.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Correlate(
        float* gradient, nint pitch, float* input, int* offsets, int length, float* sums, nint sumPitch)
    {
        float* x0 = input + offsets[0], x1 = input + offsets[1];
        TVector s00 = TLanes.Load(sums), s01 = TLanes.Load(sums + TLanes.Width);
        TVector s10 = TLanes.Load(sums + sumPitch), s11 = TLanes.Load(sums + sumPitch + TLanes.Width);
        TVector s20 = TLanes.Load(sums + 2 * sumPitch), s21 = TLanes.Load(sums + 2 * sumPitch + TLanes.Width);
        TVector s30 = TLanes.Load(sums + 3 * sumPitch), s31 = TLanes.Load(sums + 3 * sumPitch + TLanes.Width);

        for (nint i = 0; i < length; i += TLanes.Width)
        {
            TVector v0 = TLanes.Load(x0 + i), v1 = TLanes.Load(x1 + i);
            float* row = gradient + i;
            TVector g0 = TLanes.Load(row);
            s00 = TLanes.MultiplyAdd(g0, v0, s00);
            s01 = TLanes.MultiplyAdd(g0, v1, s01);
            row += pitch;
            TVector g1 = TLanes.Load(row);
            s10 = TLanes.MultiplyAdd(g1, v0, s10);
            s11 = TLanes.MultiplyAdd(g1, v1, s11);
            row += pitch;
            TVector g2 = TLanes.Load(row);
            s20 = TLanes.MultiplyAdd(g2, v0, s20);
            s21 = TLanes.MultiplyAdd(g2, v1, s21);
            row += pitch;
            TVector g3 = TLanes.Load(row);
            s30 = TLanes.MultiplyAdd(g3, v0, s30);
            s31 = TLanes.MultiplyAdd(g3, v1, s31);
        }

        TLanes.Store(s00, sums);
        TLanes.Store(s01, sums + TLanes.Width);
        TLanes.Store(s10, sums + sumPitch);
        TLanes.Store(s11, sums + sumPitch + TLanes.Width);
        TLanes.Store(s20, sums + 2 * sumPitch);
        TLanes.Store(s21, sums + 2 * sumPitch + TLanes.Width);
        TLanes.Store(s30, sums + 3 * sumPitch);
        TLanes.Store(s31, sums + 3 * sumPitch + TLanes.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CopyVector(float* source, float* destination) => TLanes.Store(TLanes.Load(source), destination);

    public static float Sum(float* source) => TLanes.Sum(TLanes.Load(source));
}
