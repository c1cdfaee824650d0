// Written by generate.py: change that, not this.
using System.Runtime.CompilerServices;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>Register tiles for 32 vector registers: 14 x 2 accumulators, 8 x 2 for weight gradients.</summary>
internal readonly unsafe struct WideProducts<TVector, TLanes> : IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    public static int Rows => 14;

    public static int GradientRows => 8;

    public static int Lanes => TLanes.Width;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* tiles, float* weights, int blocks, float* products)
    {
        TVector c00 = TLanes.Zero, c01 = TLanes.Zero;
        TVector c10 = TLanes.Zero, c11 = TLanes.Zero;
        TVector c20 = TLanes.Zero, c21 = TLanes.Zero;
        TVector c30 = TLanes.Zero, c31 = TLanes.Zero;
        TVector c40 = TLanes.Zero, c41 = TLanes.Zero;
        TVector c50 = TLanes.Zero, c51 = TLanes.Zero;
        TVector c60 = TLanes.Zero, c61 = TLanes.Zero;
        TVector c70 = TLanes.Zero, c71 = TLanes.Zero;
        TVector c80 = TLanes.Zero, c81 = TLanes.Zero;
        TVector c90 = TLanes.Zero, c91 = TLanes.Zero;
        TVector c100 = TLanes.Zero, c101 = TLanes.Zero;
        TVector c110 = TLanes.Zero, c111 = TLanes.Zero;
        TVector c120 = TLanes.Zero, c121 = TLanes.Zero;
        TVector c130 = TLanes.Zero, c131 = TLanes.Zero;
        for (; blocks > 0; blocks--, tiles += Rows * TLanes.Width)
        {
            for (float* at = tiles, end = tiles + TLanes.Width; at != end; at++, weights += 2 * TLanes.Width)
            {
                TVector b0 = TLanes.Load(weights), b1 = TLanes.Load(weights + TLanes.Width);
                TVector a0 = TLanes.Broadcast(at[0]);
                c00 = TLanes.MultiplyAdd(a0, b0, c00);
                c01 = TLanes.MultiplyAdd(a0, b1, c01);
                TVector a1 = TLanes.Broadcast(at[TLanes.Width]);
                c10 = TLanes.MultiplyAdd(a1, b0, c10);
                c11 = TLanes.MultiplyAdd(a1, b1, c11);
                TVector a2 = TLanes.Broadcast(at[2 * TLanes.Width]);
                c20 = TLanes.MultiplyAdd(a2, b0, c20);
                c21 = TLanes.MultiplyAdd(a2, b1, c21);
                TVector a3 = TLanes.Broadcast(at[3 * TLanes.Width]);
                c30 = TLanes.MultiplyAdd(a3, b0, c30);
                c31 = TLanes.MultiplyAdd(a3, b1, c31);
                TVector a4 = TLanes.Broadcast(at[4 * TLanes.Width]);
                c40 = TLanes.MultiplyAdd(a4, b0, c40);
                c41 = TLanes.MultiplyAdd(a4, b1, c41);
                TVector a5 = TLanes.Broadcast(at[5 * TLanes.Width]);
                c50 = TLanes.MultiplyAdd(a5, b0, c50);
                c51 = TLanes.MultiplyAdd(a5, b1, c51);
                TVector a6 = TLanes.Broadcast(at[6 * TLanes.Width]);
                c60 = TLanes.MultiplyAdd(a6, b0, c60);
                c61 = TLanes.MultiplyAdd(a6, b1, c61);
                TVector a7 = TLanes.Broadcast(at[7 * TLanes.Width]);
                c70 = TLanes.MultiplyAdd(a7, b0, c70);
                c71 = TLanes.MultiplyAdd(a7, b1, c71);
                TVector a8 = TLanes.Broadcast(at[8 * TLanes.Width]);
                c80 = TLanes.MultiplyAdd(a8, b0, c80);
                c81 = TLanes.MultiplyAdd(a8, b1, c81);
                TVector a9 = TLanes.Broadcast(at[9 * TLanes.Width]);
                c90 = TLanes.MultiplyAdd(a9, b0, c90);
                c91 = TLanes.MultiplyAdd(a9, b1, c91);
                TVector a10 = TLanes.Broadcast(at[10 * TLanes.Width]);
                c100 = TLanes.MultiplyAdd(a10, b0, c100);
                c101 = TLanes.MultiplyAdd(a10, b1, c101);
                TVector a11 = TLanes.Broadcast(at[11 * TLanes.Width]);
                c110 = TLanes.MultiplyAdd(a11, b0, c110);
                c111 = TLanes.MultiplyAdd(a11, b1, c111);
                TVector a12 = TLanes.Broadcast(at[12 * TLanes.Width]);
                c120 = TLanes.MultiplyAdd(a12, b0, c120);
                c121 = TLanes.MultiplyAdd(a12, b1, c121);
                TVector a13 = TLanes.Broadcast(at[13 * TLanes.Width]);
                c130 = TLanes.MultiplyAdd(a13, b0, c130);
                c131 = TLanes.MultiplyAdd(a13, b1, c131);
            }
        }

        TLanes.Store(c00, products + 0 * TLanes.Width);
        TLanes.Store(c01, products + 1 * TLanes.Width);
        TLanes.Store(c10, products + 2 * TLanes.Width);
        TLanes.Store(c11, products + 3 * TLanes.Width);
        TLanes.Store(c20, products + 4 * TLanes.Width);
        TLanes.Store(c21, products + 5 * TLanes.Width);
        TLanes.Store(c30, products + 6 * TLanes.Width);
        TLanes.Store(c31, products + 7 * TLanes.Width);
        TLanes.Store(c40, products + 8 * TLanes.Width);
        TLanes.Store(c41, products + 9 * TLanes.Width);
        TLanes.Store(c50, products + 10 * TLanes.Width);
        TLanes.Store(c51, products + 11 * TLanes.Width);
        TLanes.Store(c60, products + 12 * TLanes.Width);
        TLanes.Store(c61, products + 13 * TLanes.Width);
        TLanes.Store(c70, products + 14 * TLanes.Width);
        TLanes.Store(c71, products + 15 * TLanes.Width);
        TLanes.Store(c80, products + 16 * TLanes.Width);
        TLanes.Store(c81, products + 17 * TLanes.Width);
        TLanes.Store(c90, products + 18 * TLanes.Width);
        TLanes.Store(c91, products + 19 * TLanes.Width);
        TLanes.Store(c100, products + 20 * TLanes.Width);
        TLanes.Store(c101, products + 21 * TLanes.Width);
        TLanes.Store(c110, products + 22 * TLanes.Width);
        TLanes.Store(c111, products + 23 * TLanes.Width);
        TLanes.Store(c120, products + 24 * TLanes.Width);
        TLanes.Store(c121, products + 25 * TLanes.Width);
        TLanes.Store(c130, products + 26 * TLanes.Width);
        TLanes.Store(c131, products + 27 * TLanes.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Correlate(float* rows, float* columns, int depth, float* sums)
    {
        TVector c00 = TLanes.Load(sums + 0 * TLanes.Width), c01 = TLanes.Load(sums + 1 * TLanes.Width);
        TVector c10 = TLanes.Load(sums + 2 * TLanes.Width), c11 = TLanes.Load(sums + 3 * TLanes.Width);
        TVector c20 = TLanes.Load(sums + 4 * TLanes.Width), c21 = TLanes.Load(sums + 5 * TLanes.Width);
        TVector c30 = TLanes.Load(sums + 6 * TLanes.Width), c31 = TLanes.Load(sums + 7 * TLanes.Width);
        TVector c40 = TLanes.Load(sums + 8 * TLanes.Width), c41 = TLanes.Load(sums + 9 * TLanes.Width);
        TVector c50 = TLanes.Load(sums + 10 * TLanes.Width), c51 = TLanes.Load(sums + 11 * TLanes.Width);
        TVector c60 = TLanes.Load(sums + 12 * TLanes.Width), c61 = TLanes.Load(sums + 13 * TLanes.Width);
        TVector c70 = TLanes.Load(sums + 14 * TLanes.Width), c71 = TLanes.Load(sums + 15 * TLanes.Width);
        for (float* end = rows + (nint)depth * TLanes.Width; rows != end; rows += TLanes.Width, columns += 2 * TLanes.Width)
        {
            TVector b0 = TLanes.Load(columns), b1 = TLanes.Load(columns + TLanes.Width);
            TVector a0 = TLanes.Broadcast(rows[0]);
            c00 = TLanes.MultiplyAdd(a0, b0, c00);
            c01 = TLanes.MultiplyAdd(a0, b1, c01);
            TVector a1 = TLanes.Broadcast(rows[1]);
            c10 = TLanes.MultiplyAdd(a1, b0, c10);
            c11 = TLanes.MultiplyAdd(a1, b1, c11);
            TVector a2 = TLanes.Broadcast(rows[2]);
            c20 = TLanes.MultiplyAdd(a2, b0, c20);
            c21 = TLanes.MultiplyAdd(a2, b1, c21);
            TVector a3 = TLanes.Broadcast(rows[3]);
            c30 = TLanes.MultiplyAdd(a3, b0, c30);
            c31 = TLanes.MultiplyAdd(a3, b1, c31);
            TVector a4 = TLanes.Broadcast(rows[4]);
            c40 = TLanes.MultiplyAdd(a4, b0, c40);
            c41 = TLanes.MultiplyAdd(a4, b1, c41);
            TVector a5 = TLanes.Broadcast(rows[5]);
            c50 = TLanes.MultiplyAdd(a5, b0, c50);
            c51 = TLanes.MultiplyAdd(a5, b1, c51);
            TVector a6 = TLanes.Broadcast(rows[6]);
            c60 = TLanes.MultiplyAdd(a6, b0, c60);
            c61 = TLanes.MultiplyAdd(a6, b1, c61);
            TVector a7 = TLanes.Broadcast(rows[7]);
            c70 = TLanes.MultiplyAdd(a7, b0, c70);
            c71 = TLanes.MultiplyAdd(a7, b1, c71);
        }

        TLanes.Store(c00, sums + 0 * TLanes.Width);
        TLanes.Store(c01, sums + 1 * TLanes.Width);
        TLanes.Store(c10, sums + 2 * TLanes.Width);
        TLanes.Store(c11, sums + 3 * TLanes.Width);
        TLanes.Store(c20, sums + 4 * TLanes.Width);
        TLanes.Store(c21, sums + 5 * TLanes.Width);
        TLanes.Store(c30, sums + 6 * TLanes.Width);
        TLanes.Store(c31, sums + 7 * TLanes.Width);
        TLanes.Store(c40, sums + 8 * TLanes.Width);
        TLanes.Store(c41, sums + 9 * TLanes.Width);
        TLanes.Store(c50, sums + 10 * TLanes.Width);
        TLanes.Store(c51, sums + 11 * TLanes.Width);
        TLanes.Store(c60, sums + 12 * TLanes.Width);
        TLanes.Store(c61, sums + 13 * TLanes.Width);
        TLanes.Store(c70, sums + 14 * TLanes.Width);
        TLanes.Store(c71, sums + 15 * TLanes.Width);
    }
}

/// <summary>Register tiles for 16 vector registers: 6 x 2 accumulators, 4 x 2 for weight gradients.</summary>
internal readonly unsafe struct NarrowProducts<TVector, TLanes> : IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    public static int Rows => 6;

    public static int GradientRows => 4;

    public static int Lanes => TLanes.Width;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* tiles, float* weights, int blocks, float* products)
    {
        TVector c00 = TLanes.Zero, c01 = TLanes.Zero;
        TVector c10 = TLanes.Zero, c11 = TLanes.Zero;
        TVector c20 = TLanes.Zero, c21 = TLanes.Zero;
        TVector c30 = TLanes.Zero, c31 = TLanes.Zero;
        TVector c40 = TLanes.Zero, c41 = TLanes.Zero;
        TVector c50 = TLanes.Zero, c51 = TLanes.Zero;
        for (; blocks > 0; blocks--, tiles += Rows * TLanes.Width)
        {
            for (float* at = tiles, end = tiles + TLanes.Width; at != end; at++, weights += 2 * TLanes.Width)
            {
                TVector b0 = TLanes.Load(weights), b1 = TLanes.Load(weights + TLanes.Width);
                TVector a0 = TLanes.Broadcast(at[0]);
                c00 = TLanes.MultiplyAdd(a0, b0, c00);
                c01 = TLanes.MultiplyAdd(a0, b1, c01);
                TVector a1 = TLanes.Broadcast(at[TLanes.Width]);
                c10 = TLanes.MultiplyAdd(a1, b0, c10);
                c11 = TLanes.MultiplyAdd(a1, b1, c11);
                TVector a2 = TLanes.Broadcast(at[2 * TLanes.Width]);
                c20 = TLanes.MultiplyAdd(a2, b0, c20);
                c21 = TLanes.MultiplyAdd(a2, b1, c21);
                TVector a3 = TLanes.Broadcast(at[3 * TLanes.Width]);
                c30 = TLanes.MultiplyAdd(a3, b0, c30);
                c31 = TLanes.MultiplyAdd(a3, b1, c31);
                TVector a4 = TLanes.Broadcast(at[4 * TLanes.Width]);
                c40 = TLanes.MultiplyAdd(a4, b0, c40);
                c41 = TLanes.MultiplyAdd(a4, b1, c41);
                TVector a5 = TLanes.Broadcast(at[5 * TLanes.Width]);
                c50 = TLanes.MultiplyAdd(a5, b0, c50);
                c51 = TLanes.MultiplyAdd(a5, b1, c51);
            }
        }

        TLanes.Store(c00, products + 0 * TLanes.Width);
        TLanes.Store(c01, products + 1 * TLanes.Width);
        TLanes.Store(c10, products + 2 * TLanes.Width);
        TLanes.Store(c11, products + 3 * TLanes.Width);
        TLanes.Store(c20, products + 4 * TLanes.Width);
        TLanes.Store(c21, products + 5 * TLanes.Width);
        TLanes.Store(c30, products + 6 * TLanes.Width);
        TLanes.Store(c31, products + 7 * TLanes.Width);
        TLanes.Store(c40, products + 8 * TLanes.Width);
        TLanes.Store(c41, products + 9 * TLanes.Width);
        TLanes.Store(c50, products + 10 * TLanes.Width);
        TLanes.Store(c51, products + 11 * TLanes.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Correlate(float* rows, float* columns, int depth, float* sums)
    {
        TVector c00 = TLanes.Load(sums + 0 * TLanes.Width), c01 = TLanes.Load(sums + 1 * TLanes.Width);
        TVector c10 = TLanes.Load(sums + 2 * TLanes.Width), c11 = TLanes.Load(sums + 3 * TLanes.Width);
        TVector c20 = TLanes.Load(sums + 4 * TLanes.Width), c21 = TLanes.Load(sums + 5 * TLanes.Width);
        TVector c30 = TLanes.Load(sums + 6 * TLanes.Width), c31 = TLanes.Load(sums + 7 * TLanes.Width);
        for (float* end = rows + (nint)depth * TLanes.Width; rows != end; rows += TLanes.Width, columns += 2 * TLanes.Width)
        {
            TVector b0 = TLanes.Load(columns), b1 = TLanes.Load(columns + TLanes.Width);
            TVector a0 = TLanes.Broadcast(rows[0]);
            c00 = TLanes.MultiplyAdd(a0, b0, c00);
            c01 = TLanes.MultiplyAdd(a0, b1, c01);
            TVector a1 = TLanes.Broadcast(rows[1]);
            c10 = TLanes.MultiplyAdd(a1, b0, c10);
            c11 = TLanes.MultiplyAdd(a1, b1, c11);
            TVector a2 = TLanes.Broadcast(rows[2]);
            c20 = TLanes.MultiplyAdd(a2, b0, c20);
            c21 = TLanes.MultiplyAdd(a2, b1, c21);
            TVector a3 = TLanes.Broadcast(rows[3]);
            c30 = TLanes.MultiplyAdd(a3, b0, c30);
            c31 = TLanes.MultiplyAdd(a3, b1, c31);
        }

        TLanes.Store(c00, sums + 0 * TLanes.Width);
        TLanes.Store(c01, sums + 1 * TLanes.Width);
        TLanes.Store(c10, sums + 2 * TLanes.Width);
        TLanes.Store(c11, sums + 3 * TLanes.Width);
        TLanes.Store(c20, sums + 4 * TLanes.Width);
        TLanes.Store(c21, sums + 5 * TLanes.Width);
        TLanes.Store(c30, sums + 6 * TLanes.Width);
        TLanes.Store(c31, sums + 7 * TLanes.Width);
    }
}
