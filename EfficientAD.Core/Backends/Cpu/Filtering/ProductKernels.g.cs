// Written by generate.py: change that, not this.
using System.Runtime.CompilerServices;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>Register tiles for 32 vector registers: 14 x 2 accumulators, 8 x 2 for weight gradients.</summary>
internal readonly unsafe struct WideProducts<TVector, TLanes> : IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    public static int Rows => 14;

    public static int GradientRows => 8;

    public static int PooledPixels => 3;

    public static int Lanes => TLanes.Width;

    public static int RowsFor(int tiles) => (tiles + 12) / 13 * 13 < (tiles + 13) / 14 * 14 ? 13 : 14;

    public static void Multiply(
        int rows, float* tiles, float* weights, int blocks, float* products, float* following, float* ahead, nint aheadStep)
    {
        if (rows == 13) Multiply13(tiles, weights, blocks, products, following, ahead, aheadStep);
        else Multiply14(tiles, weights, blocks, products, following, ahead, aheadStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply14(
        float* tiles, float* weights, int blocks, float* products, float* following, float* ahead, nint aheadStep)
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
            float* next = blocks > 1 ? tiles + Rows * TLanes.Width : following;
            for (float* at = tiles, end = tiles + TLanes.Width; at != end; at++, weights += 2 * TLanes.Width)
            {
                TLanes.Prefetch(ahead);
                TLanes.Prefetch(ahead + TLanes.Width);
                TLanes.Prefetch(next);
                ahead += aheadStep;
                next += TLanes.Width;
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
    private static void Multiply13(
        float* tiles, float* weights, int blocks, float* products, float* following, float* ahead, nint aheadStep)
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
        for (; blocks > 0; blocks--, tiles += Rows * TLanes.Width)
        {
            float* next = blocks > 1 ? tiles + Rows * TLanes.Width : following;
            for (float* at = tiles, end = tiles + TLanes.Width; at != end; at++, weights += 2 * TLanes.Width)
            {
                TLanes.Prefetch(ahead);
                TLanes.Prefetch(ahead + TLanes.Width);
                TLanes.Prefetch(next);
                ahead += aheadStep;
                next += TLanes.Width;
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
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Correlate(float* rows, float* columns, int depth, float* sums, float* ahead)
    {
        float* next = sums + 16 * TLanes.Width;
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
            TLanes.Prefetch(next);
            TLanes.Prefetch(ahead);
            next += TLanes.Width;
            ahead += TLanes.Width;
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ConvolveAndPool(
        float* pixels, nint pitch, nint* taps, int count, float* weights, float* bias, float* pooled, nint pooledPitch,
        ushort* signs, nint signPitch, nint signPlane)
    {
        TVector bias0 = TLanes.Load(bias), bias1 = TLanes.Load(bias + TLanes.Width);
        TVector c000 = bias0, c001 = bias1;
        TVector c010 = bias0, c011 = bias1;
        TVector c020 = bias0, c021 = bias1;
        TVector c030 = bias0, c031 = bias1;
        TVector c040 = bias0, c041 = bias1;
        TVector c050 = bias0, c051 = bias1;
        TVector c100 = bias0, c101 = bias1;
        TVector c110 = bias0, c111 = bias1;
        TVector c120 = bias0, c121 = bias1;
        TVector c130 = bias0, c131 = bias1;
        TVector c140 = bias0, c141 = bias1;
        TVector c150 = bias0, c151 = bias1;
        for (nint* end = taps + count; taps != end; taps++, weights += 2 * TLanes.Width)
        {
            float* top = pixels + *taps, bottom = top + pitch;
            TVector b0 = TLanes.Load(weights), b1 = TLanes.Load(weights + TLanes.Width);
            TVector a00 = TLanes.Broadcast(top[0]);
            c000 = TLanes.MultiplyAdd(a00, b0, c000);
            c001 = TLanes.MultiplyAdd(a00, b1, c001);
            TVector a01 = TLanes.Broadcast(top[1]);
            c010 = TLanes.MultiplyAdd(a01, b0, c010);
            c011 = TLanes.MultiplyAdd(a01, b1, c011);
            TVector a02 = TLanes.Broadcast(top[2]);
            c020 = TLanes.MultiplyAdd(a02, b0, c020);
            c021 = TLanes.MultiplyAdd(a02, b1, c021);
            TVector a03 = TLanes.Broadcast(top[3]);
            c030 = TLanes.MultiplyAdd(a03, b0, c030);
            c031 = TLanes.MultiplyAdd(a03, b1, c031);
            TVector a04 = TLanes.Broadcast(top[4]);
            c040 = TLanes.MultiplyAdd(a04, b0, c040);
            c041 = TLanes.MultiplyAdd(a04, b1, c041);
            TVector a05 = TLanes.Broadcast(top[5]);
            c050 = TLanes.MultiplyAdd(a05, b0, c050);
            c051 = TLanes.MultiplyAdd(a05, b1, c051);
            TVector a10 = TLanes.Broadcast(bottom[0]);
            c100 = TLanes.MultiplyAdd(a10, b0, c100);
            c101 = TLanes.MultiplyAdd(a10, b1, c101);
            TVector a11 = TLanes.Broadcast(bottom[1]);
            c110 = TLanes.MultiplyAdd(a11, b0, c110);
            c111 = TLanes.MultiplyAdd(a11, b1, c111);
            TVector a12 = TLanes.Broadcast(bottom[2]);
            c120 = TLanes.MultiplyAdd(a12, b0, c120);
            c121 = TLanes.MultiplyAdd(a12, b1, c121);
            TVector a13 = TLanes.Broadcast(bottom[3]);
            c130 = TLanes.MultiplyAdd(a13, b0, c130);
            c131 = TLanes.MultiplyAdd(a13, b1, c131);
            TVector a14 = TLanes.Broadcast(bottom[4]);
            c140 = TLanes.MultiplyAdd(a14, b0, c140);
            c141 = TLanes.MultiplyAdd(a14, b1, c141);
            TVector a15 = TLanes.Broadcast(bottom[5]);
            c150 = TLanes.MultiplyAdd(a15, b0, c150);
            c151 = TLanes.MultiplyAdd(a15, b1, c151);
        }

        TVector quarter = TLanes.Broadcast(0.25f);
        c000 = TLanes.Rectify(c000);
        c001 = TLanes.Rectify(c001);
        c010 = TLanes.Rectify(c010);
        c011 = TLanes.Rectify(c011);
        c020 = TLanes.Rectify(c020);
        c021 = TLanes.Rectify(c021);
        c030 = TLanes.Rectify(c030);
        c031 = TLanes.Rectify(c031);
        c040 = TLanes.Rectify(c040);
        c041 = TLanes.Rectify(c041);
        c050 = TLanes.Rectify(c050);
        c051 = TLanes.Rectify(c051);
        c100 = TLanes.Rectify(c100);
        c101 = TLanes.Rectify(c101);
        c110 = TLanes.Rectify(c110);
        c111 = TLanes.Rectify(c111);
        c120 = TLanes.Rectify(c120);
        c121 = TLanes.Rectify(c121);
        c130 = TLanes.Rectify(c130);
        c131 = TLanes.Rectify(c131);
        c140 = TLanes.Rectify(c140);
        c141 = TLanes.Rectify(c141);
        c150 = TLanes.Rectify(c150);
        c151 = TLanes.Rectify(c151);
        TVector p00 = TLanes.Add(TLanes.Add(c000, c010), TLanes.Add(c100, c110));
        TLanes.Store(TLanes.Multiply(p00, quarter), pooled);
        TVector p01 = TLanes.Add(TLanes.Add(c001, c011), TLanes.Add(c101, c111));
        TLanes.Store(TLanes.Multiply(p01, quarter), pooled + pooledPitch);
        TVector p20 = TLanes.Add(TLanes.Add(c020, c030), TLanes.Add(c120, c130));
        TLanes.Store(TLanes.Multiply(p20, quarter), pooled + 1 * TLanes.Width);
        TVector p21 = TLanes.Add(TLanes.Add(c021, c031), TLanes.Add(c121, c131));
        TLanes.Store(TLanes.Multiply(p21, quarter), pooled + pooledPitch + 1 * TLanes.Width);
        TVector p40 = TLanes.Add(TLanes.Add(c040, c050), TLanes.Add(c140, c150));
        TLanes.Store(TLanes.Multiply(p40, quarter), pooled + 2 * TLanes.Width);
        TVector p41 = TLanes.Add(TLanes.Add(c041, c051), TLanes.Add(c141, c151));
        TLanes.Store(TLanes.Multiply(p41, quarter), pooled + pooledPitch + 2 * TLanes.Width);

        if (signs == null) return;
        signs[0] = (ushort)TLanes.NonZero(c000);
        signs[1] = (ushort)TLanes.NonZero(c010);
        signs[2] = (ushort)TLanes.NonZero(c020);
        signs[3] = (ushort)TLanes.NonZero(c030);
        signs[4] = (ushort)TLanes.NonZero(c040);
        signs[5] = (ushort)TLanes.NonZero(c050);
        signs += signPitch;
        signs[0] = (ushort)TLanes.NonZero(c100);
        signs[1] = (ushort)TLanes.NonZero(c110);
        signs[2] = (ushort)TLanes.NonZero(c120);
        signs[3] = (ushort)TLanes.NonZero(c130);
        signs[4] = (ushort)TLanes.NonZero(c140);
        signs[5] = (ushort)TLanes.NonZero(c150);
        signs += signPlane - signPitch;
        signs[0] = (ushort)TLanes.NonZero(c001);
        signs[1] = (ushort)TLanes.NonZero(c011);
        signs[2] = (ushort)TLanes.NonZero(c021);
        signs[3] = (ushort)TLanes.NonZero(c031);
        signs[4] = (ushort)TLanes.NonZero(c041);
        signs[5] = (ushort)TLanes.NonZero(c051);
        signs += signPitch;
        signs[0] = (ushort)TLanes.NonZero(c101);
        signs[1] = (ushort)TLanes.NonZero(c111);
        signs[2] = (ushort)TLanes.NonZero(c121);
        signs[3] = (ushort)TLanes.NonZero(c131);
        signs[4] = (ushort)TLanes.NonZero(c141);
        signs[5] = (ushort)TLanes.NonZero(c151);
    }
}

/// <summary>Register tiles for 16 vector registers: 6 x 2 accumulators, 4 x 2 for weight gradients.</summary>
internal readonly unsafe struct NarrowProducts<TVector, TLanes> : IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    public static int Rows => 6;

    public static int GradientRows => 4;

    public static int PooledPixels => 1;

    public static int Lanes => TLanes.Width;

    public static int RowsFor(int tiles) => 6;

    public static void Multiply(
        int rows, float* tiles, float* weights, int blocks, float* products, float* following, float* ahead, nint aheadStep)
    {
        Multiply6(tiles, weights, blocks, products, following, ahead, aheadStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply6(
        float* tiles, float* weights, int blocks, float* products, float* following, float* ahead, nint aheadStep)
    {
        TVector c00 = TLanes.Zero, c01 = TLanes.Zero;
        TVector c10 = TLanes.Zero, c11 = TLanes.Zero;
        TVector c20 = TLanes.Zero, c21 = TLanes.Zero;
        TVector c30 = TLanes.Zero, c31 = TLanes.Zero;
        TVector c40 = TLanes.Zero, c41 = TLanes.Zero;
        TVector c50 = TLanes.Zero, c51 = TLanes.Zero;
        for (; blocks > 0; blocks--, tiles += Rows * TLanes.Width)
        {
            float* next = blocks > 1 ? tiles + Rows * TLanes.Width : following;
            for (float* at = tiles, end = tiles + TLanes.Width; at != end; at++, weights += 2 * TLanes.Width)
            {
                TLanes.Prefetch(ahead);
                TLanes.Prefetch(ahead + TLanes.Width);
                TLanes.Prefetch(next);
                ahead += aheadStep;
                next += TLanes.Width;
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
    public static void Correlate(float* rows, float* columns, int depth, float* sums, float* ahead)
    {
        float* next = sums + 8 * TLanes.Width;
        TVector c00 = TLanes.Load(sums + 0 * TLanes.Width), c01 = TLanes.Load(sums + 1 * TLanes.Width);
        TVector c10 = TLanes.Load(sums + 2 * TLanes.Width), c11 = TLanes.Load(sums + 3 * TLanes.Width);
        TVector c20 = TLanes.Load(sums + 4 * TLanes.Width), c21 = TLanes.Load(sums + 5 * TLanes.Width);
        TVector c30 = TLanes.Load(sums + 6 * TLanes.Width), c31 = TLanes.Load(sums + 7 * TLanes.Width);
        for (float* end = rows + (nint)depth * TLanes.Width; rows != end; rows += TLanes.Width, columns += 2 * TLanes.Width)
        {
            TLanes.Prefetch(next);
            TLanes.Prefetch(ahead);
            next += TLanes.Width;
            ahead += TLanes.Width;
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ConvolveAndPool(
        float* pixels, nint pitch, nint* taps, int count, float* weights, float* bias, float* pooled, nint pooledPitch,
        ushort* signs, nint signPitch, nint signPlane)
    {
        TVector bias0 = TLanes.Load(bias), bias1 = TLanes.Load(bias + TLanes.Width);
        TVector c000 = bias0, c001 = bias1;
        TVector c010 = bias0, c011 = bias1;
        TVector c100 = bias0, c101 = bias1;
        TVector c110 = bias0, c111 = bias1;
        for (nint* end = taps + count; taps != end; taps++, weights += 2 * TLanes.Width)
        {
            float* top = pixels + *taps, bottom = top + pitch;
            TVector b0 = TLanes.Load(weights), b1 = TLanes.Load(weights + TLanes.Width);
            TVector a00 = TLanes.Broadcast(top[0]);
            c000 = TLanes.MultiplyAdd(a00, b0, c000);
            c001 = TLanes.MultiplyAdd(a00, b1, c001);
            TVector a01 = TLanes.Broadcast(top[1]);
            c010 = TLanes.MultiplyAdd(a01, b0, c010);
            c011 = TLanes.MultiplyAdd(a01, b1, c011);
            TVector a10 = TLanes.Broadcast(bottom[0]);
            c100 = TLanes.MultiplyAdd(a10, b0, c100);
            c101 = TLanes.MultiplyAdd(a10, b1, c101);
            TVector a11 = TLanes.Broadcast(bottom[1]);
            c110 = TLanes.MultiplyAdd(a11, b0, c110);
            c111 = TLanes.MultiplyAdd(a11, b1, c111);
        }

        TVector quarter = TLanes.Broadcast(0.25f);
        c000 = TLanes.Rectify(c000);
        c001 = TLanes.Rectify(c001);
        c010 = TLanes.Rectify(c010);
        c011 = TLanes.Rectify(c011);
        c100 = TLanes.Rectify(c100);
        c101 = TLanes.Rectify(c101);
        c110 = TLanes.Rectify(c110);
        c111 = TLanes.Rectify(c111);
        TVector p00 = TLanes.Add(TLanes.Add(c000, c010), TLanes.Add(c100, c110));
        TLanes.Store(TLanes.Multiply(p00, quarter), pooled);
        TVector p01 = TLanes.Add(TLanes.Add(c001, c011), TLanes.Add(c101, c111));
        TLanes.Store(TLanes.Multiply(p01, quarter), pooled + pooledPitch);

        if (signs == null) return;
        signs[0] = (ushort)TLanes.NonZero(c000);
        signs[1] = (ushort)TLanes.NonZero(c010);
        signs += signPitch;
        signs[0] = (ushort)TLanes.NonZero(c100);
        signs[1] = (ushort)TLanes.NonZero(c110);
        signs += signPlane - signPitch;
        signs[0] = (ushort)TLanes.NonZero(c001);
        signs[1] = (ushort)TLanes.NonZero(c011);
        signs += signPitch;
        signs[0] = (ushort)TLanes.NonZero(c101);
        signs[1] = (ushort)TLanes.NonZero(c111);
    }
}
