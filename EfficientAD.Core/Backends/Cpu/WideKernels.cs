using System.Runtime.CompilerServices;

namespace EfficientAD.Backends.Cpu;

/// <summary>Register tiles for processors with 32 vector registers: 24 accumulators (8 x 3, 6 x 4).</summary>
internal readonly unsafe struct WideKernels<TVector, TLanes> : IConvolutionKernels
    where TLanes : struct, ILanes<TVector>
{
    public static int Rows => 8;

    public static int Columns => 3 * TLanes.Width;

    public static int CorrelationRows => 6;

    public static int CorrelationTaps => 4;

    public static int Lanes => TLanes.Width;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        float* a, float* b, int depth, float* bias, bool accumulate, bool relu, float* c, nint pitch)
    {
        TVector c00, c01, c02;
        TVector c10, c11, c12;
        TVector c20, c21, c22;
        TVector c30, c31, c32;
        TVector c40, c41, c42;
        TVector c50, c51, c52;
        TVector c60, c61, c62;
        TVector c70, c71, c72;
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
            c40 = TLanes.Load(c + 4 * pitch);
            c41 = TLanes.Load(c + 4 * pitch + TLanes.Width);
            c42 = TLanes.Load(c + 4 * pitch + 2 * TLanes.Width);
            c50 = TLanes.Load(c + 5 * pitch);
            c51 = TLanes.Load(c + 5 * pitch + TLanes.Width);
            c52 = TLanes.Load(c + 5 * pitch + 2 * TLanes.Width);
            c60 = TLanes.Load(c + 6 * pitch);
            c61 = TLanes.Load(c + 6 * pitch + TLanes.Width);
            c62 = TLanes.Load(c + 6 * pitch + 2 * TLanes.Width);
            c70 = TLanes.Load(c + 7 * pitch);
            c71 = TLanes.Load(c + 7 * pitch + TLanes.Width);
            c72 = TLanes.Load(c + 7 * pitch + 2 * TLanes.Width);
        }
        else
        {
            c00 = c01 = c02 = TLanes.Broadcast(bias[0]);
            c10 = c11 = c12 = TLanes.Broadcast(bias[1]);
            c20 = c21 = c22 = TLanes.Broadcast(bias[2]);
            c30 = c31 = c32 = TLanes.Broadcast(bias[3]);
            c40 = c41 = c42 = TLanes.Broadcast(bias[4]);
            c50 = c51 = c52 = TLanes.Broadcast(bias[5]);
            c60 = c61 = c62 = TLanes.Broadcast(bias[6]);
            c70 = c71 = c72 = TLanes.Broadcast(bias[7]);
        }

        for (float* end = a + (nint)depth * 8; a != end; a += 8, b += 3 * TLanes.Width)
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
            TVector a4 = TLanes.Broadcast(a[4]);
            c40 = TLanes.MultiplyAdd(a4, b0, c40);
            c41 = TLanes.MultiplyAdd(a4, b1, c41);
            c42 = TLanes.MultiplyAdd(a4, b2, c42);
            TVector a5 = TLanes.Broadcast(a[5]);
            c50 = TLanes.MultiplyAdd(a5, b0, c50);
            c51 = TLanes.MultiplyAdd(a5, b1, c51);
            c52 = TLanes.MultiplyAdd(a5, b2, c52);
            TVector a6 = TLanes.Broadcast(a[6]);
            c60 = TLanes.MultiplyAdd(a6, b0, c60);
            c61 = TLanes.MultiplyAdd(a6, b1, c61);
            c62 = TLanes.MultiplyAdd(a6, b2, c62);
            TVector a7 = TLanes.Broadcast(a[7]);
            c70 = TLanes.MultiplyAdd(a7, b0, c70);
            c71 = TLanes.MultiplyAdd(a7, b1, c71);
            c72 = TLanes.MultiplyAdd(a7, b2, c72);
        }

        if (relu)
        {
            (c00, c01, c02) = (TLanes.Rectify(c00), TLanes.Rectify(c01), TLanes.Rectify(c02));
            (c10, c11, c12) = (TLanes.Rectify(c10), TLanes.Rectify(c11), TLanes.Rectify(c12));
            (c20, c21, c22) = (TLanes.Rectify(c20), TLanes.Rectify(c21), TLanes.Rectify(c22));
            (c30, c31, c32) = (TLanes.Rectify(c30), TLanes.Rectify(c31), TLanes.Rectify(c32));
            (c40, c41, c42) = (TLanes.Rectify(c40), TLanes.Rectify(c41), TLanes.Rectify(c42));
            (c50, c51, c52) = (TLanes.Rectify(c50), TLanes.Rectify(c51), TLanes.Rectify(c52));
            (c60, c61, c62) = (TLanes.Rectify(c60), TLanes.Rectify(c61), TLanes.Rectify(c62));
            (c70, c71, c72) = (TLanes.Rectify(c70), TLanes.Rectify(c71), TLanes.Rectify(c72));
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
        TLanes.Store(c40, c + 4 * pitch);
        TLanes.Store(c41, c + 4 * pitch + TLanes.Width);
        TLanes.Store(c42, c + 4 * pitch + 2 * TLanes.Width);
        TLanes.Store(c50, c + 5 * pitch);
        TLanes.Store(c51, c + 5 * pitch + TLanes.Width);
        TLanes.Store(c52, c + 5 * pitch + 2 * TLanes.Width);
        TLanes.Store(c60, c + 6 * pitch);
        TLanes.Store(c61, c + 6 * pitch + TLanes.Width);
        TLanes.Store(c62, c + 6 * pitch + 2 * TLanes.Width);
        TLanes.Store(c70, c + 7 * pitch);
        TLanes.Store(c71, c + 7 * pitch + TLanes.Width);
        TLanes.Store(c72, c + 7 * pitch + 2 * TLanes.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Correlate(
        float* gradient, nint pitch, float* input, int* offsets, int length, float* sums, nint sumPitch)
    {
        float* x0 = input + offsets[0], x1 = input + offsets[1], x2 = input + offsets[2], x3 = input + offsets[3];
        TVector s00 = TLanes.Load(sums),
            s01 = TLanes.Load(sums + TLanes.Width),
            s02 = TLanes.Load(sums + 2 * TLanes.Width),
            s03 = TLanes.Load(sums + 3 * TLanes.Width);
        TVector s10 = TLanes.Load(sums + sumPitch),
            s11 = TLanes.Load(sums + sumPitch + TLanes.Width),
            s12 = TLanes.Load(sums + sumPitch + 2 * TLanes.Width),
            s13 = TLanes.Load(sums + sumPitch + 3 * TLanes.Width);
        TVector s20 = TLanes.Load(sums + 2 * sumPitch),
            s21 = TLanes.Load(sums + 2 * sumPitch + TLanes.Width),
            s22 = TLanes.Load(sums + 2 * sumPitch + 2 * TLanes.Width),
            s23 = TLanes.Load(sums + 2 * sumPitch + 3 * TLanes.Width);
        TVector s30 = TLanes.Load(sums + 3 * sumPitch),
            s31 = TLanes.Load(sums + 3 * sumPitch + TLanes.Width),
            s32 = TLanes.Load(sums + 3 * sumPitch + 2 * TLanes.Width),
            s33 = TLanes.Load(sums + 3 * sumPitch + 3 * TLanes.Width);
        TVector s40 = TLanes.Load(sums + 4 * sumPitch),
            s41 = TLanes.Load(sums + 4 * sumPitch + TLanes.Width),
            s42 = TLanes.Load(sums + 4 * sumPitch + 2 * TLanes.Width),
            s43 = TLanes.Load(sums + 4 * sumPitch + 3 * TLanes.Width);
        TVector s50 = TLanes.Load(sums + 5 * sumPitch),
            s51 = TLanes.Load(sums + 5 * sumPitch + TLanes.Width),
            s52 = TLanes.Load(sums + 5 * sumPitch + 2 * TLanes.Width),
            s53 = TLanes.Load(sums + 5 * sumPitch + 3 * TLanes.Width);

        for (nint i = 0; i < length; i += TLanes.Width)
        {
            TVector v0 = TLanes.Load(x0 + i), v1 = TLanes.Load(x1 + i);
            TVector v2 = TLanes.Load(x2 + i), v3 = TLanes.Load(x3 + i);
            float* row = gradient + i;
            TVector g0 = TLanes.Load(row);
            s00 = TLanes.MultiplyAdd(g0, v0, s00);
            s01 = TLanes.MultiplyAdd(g0, v1, s01);
            s02 = TLanes.MultiplyAdd(g0, v2, s02);
            s03 = TLanes.MultiplyAdd(g0, v3, s03);
            row += pitch;
            TVector g1 = TLanes.Load(row);
            s10 = TLanes.MultiplyAdd(g1, v0, s10);
            s11 = TLanes.MultiplyAdd(g1, v1, s11);
            s12 = TLanes.MultiplyAdd(g1, v2, s12);
            s13 = TLanes.MultiplyAdd(g1, v3, s13);
            row += pitch;
            TVector g2 = TLanes.Load(row);
            s20 = TLanes.MultiplyAdd(g2, v0, s20);
            s21 = TLanes.MultiplyAdd(g2, v1, s21);
            s22 = TLanes.MultiplyAdd(g2, v2, s22);
            s23 = TLanes.MultiplyAdd(g2, v3, s23);
            row += pitch;
            TVector g3 = TLanes.Load(row);
            s30 = TLanes.MultiplyAdd(g3, v0, s30);
            s31 = TLanes.MultiplyAdd(g3, v1, s31);
            s32 = TLanes.MultiplyAdd(g3, v2, s32);
            s33 = TLanes.MultiplyAdd(g3, v3, s33);
            row += pitch;
            TVector g4 = TLanes.Load(row);
            s40 = TLanes.MultiplyAdd(g4, v0, s40);
            s41 = TLanes.MultiplyAdd(g4, v1, s41);
            s42 = TLanes.MultiplyAdd(g4, v2, s42);
            s43 = TLanes.MultiplyAdd(g4, v3, s43);
            row += pitch;
            TVector g5 = TLanes.Load(row);
            s50 = TLanes.MultiplyAdd(g5, v0, s50);
            s51 = TLanes.MultiplyAdd(g5, v1, s51);
            s52 = TLanes.MultiplyAdd(g5, v2, s52);
            s53 = TLanes.MultiplyAdd(g5, v3, s53);
        }

        TLanes.Store(s00, sums);
        TLanes.Store(s01, sums + TLanes.Width);
        TLanes.Store(s02, sums + 2 * TLanes.Width);
        TLanes.Store(s03, sums + 3 * TLanes.Width);
        TLanes.Store(s10, sums + sumPitch);
        TLanes.Store(s11, sums + sumPitch + TLanes.Width);
        TLanes.Store(s12, sums + sumPitch + 2 * TLanes.Width);
        TLanes.Store(s13, sums + sumPitch + 3 * TLanes.Width);
        TLanes.Store(s20, sums + 2 * sumPitch);
        TLanes.Store(s21, sums + 2 * sumPitch + TLanes.Width);
        TLanes.Store(s22, sums + 2 * sumPitch + 2 * TLanes.Width);
        TLanes.Store(s23, sums + 2 * sumPitch + 3 * TLanes.Width);
        TLanes.Store(s30, sums + 3 * sumPitch);
        TLanes.Store(s31, sums + 3 * sumPitch + TLanes.Width);
        TLanes.Store(s32, sums + 3 * sumPitch + 2 * TLanes.Width);
        TLanes.Store(s33, sums + 3 * sumPitch + 3 * TLanes.Width);
        TLanes.Store(s40, sums + 4 * sumPitch);
        TLanes.Store(s41, sums + 4 * sumPitch + TLanes.Width);
        TLanes.Store(s42, sums + 4 * sumPitch + 2 * TLanes.Width);
        TLanes.Store(s43, sums + 4 * sumPitch + 3 * TLanes.Width);
        TLanes.Store(s50, sums + 5 * sumPitch);
        TLanes.Store(s51, sums + 5 * sumPitch + TLanes.Width);
        TLanes.Store(s52, sums + 5 * sumPitch + 2 * TLanes.Width);
        TLanes.Store(s53, sums + 5 * sumPitch + 3 * TLanes.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CopyVector(float* source, float* destination) => TLanes.Store(TLanes.Load(source), destination);

    public static float Sum(float* source) => TLanes.Sum(TLanes.Load(source));
}
