// Written by generate.py: change that, not this.
using System.Runtime.CompilerServices;

namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>F(4, 4) with points 0, +-1, +-1/2, 2 and infinity.</summary>
internal readonly unsafe struct Form4x4<TVector, TLanes> : IFilterForm
    where TLanes : struct, ILanes<TVector>
{
    public static int Outputs => 4;

    public static int Kernel => 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.0f), x0, x1);
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.0f), x1, x2);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.0f), x2, x3);
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.0f), x3, x4);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.0f), x4, x5);
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.0f), x5, x6);
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(-1.25f), t2, TLanes.MultiplyAdd(TLanes.Broadcast(0.25f), t0, t4));
        TLanes.Store(t6, target + 0);
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.25f), t2, t4);
        TVector t8 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.25f), t1, t3);
        TLanes.Store(TLanes.Add(t7, t8), target + targetStep);
        TLanes.Store(TLanes.Subtract(t7, t8), target + 2 * targetStep);
        TVector t9 = TLanes.Subtract(t4, t2);
        TVector t10 = TLanes.MultiplyAdd(TLanes.Broadcast(0.5f), t3, TLanes.Multiply(TLanes.Broadcast(-0.5f), t1));
        TLanes.Store(TLanes.Add(t9, t10), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t9, t10), target + 4 * targetStep);
        TVector t11 = TLanes.MultiplyAdd(TLanes.Broadcast(-1.25f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.25f), x1, x5));
        TLanes.Store(t11, target + 5 * targetStep);
        TVector t12 = TLanes.MultiplyAdd(TLanes.Broadcast(-1.25f), t3, TLanes.MultiplyAdd(TLanes.Broadcast(0.25f), t1, t5));
        TLanes.Store(t12, target + 6 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector t0 = TLanes.Add(x1, x2);
        TVector t1 = TLanes.Subtract(x1, x2);
        TVector t2 = TLanes.Add(x3, x4);
        TVector t3 = TLanes.Subtract(x3, x4);
        TVector t4 = TLanes.Add(TLanes.Add(TLanes.Add(x0, x5), t0), t2);
        TLanes.Store(t4, target + 0);
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(0.5f), t3, TLanes.MultiplyAdd(TLanes.Broadcast(2.0f), x5, t1));
        TLanes.Store(t5, target + targetStep);
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(0.25f), t2, TLanes.MultiplyAdd(TLanes.Broadcast(4.0f), x5, t0));
        TLanes.Store(t6, target + 2 * targetStep);
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(0.125f), t3, TLanes.MultiplyAdd(TLanes.Broadcast(8.0f), x5, TLanes.Add(x6, t1)));
        TLanes.Store(t7, target + 3 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputGradient(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector t0 = TLanes.Add(x0, x2);
        TVector t1 = TLanes.Add(x1, x3);
        TLanes.Store(TLanes.Add(t0, t1), target + targetStep);
        TLanes.Store(TLanes.Subtract(t0, t1), target + 2 * targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.25f), x2, x0);
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(0.125f), x3, TLanes.Multiply(TLanes.Broadcast(0.5f), x1));
        TLanes.Store(TLanes.Add(t2, t3), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t2, t3), target + 4 * targetStep);
        TLanes.Store(x0, target + 0);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(8.0f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(4.0f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(2.0f), x1, x0)));
        TLanes.Store(t4, target + 5 * targetStep);
        TLanes.Store(x3, target + 6 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weights(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector t0 = TLanes.Multiply(TLanes.Broadcast(-2.0f), x0);
        TLanes.Store(t0, target + 0);
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.6666666666666666f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.6666666666666666f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.6666666666666666f), x1, TLanes.Multiply(TLanes.Broadcast(-0.6666666666666666f), x0))));
        TLanes.Store(t1, target + targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.2222222222222222f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.2222222222222222f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(0.2222222222222222f), x1, TLanes.Multiply(TLanes.Broadcast(-0.2222222222222222f), x0))));
        TLanes.Store(t2, target + 2 * targetStep);
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(0.2222222222222222f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.4444444444444444f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(0.8888888888888888f), x1, TLanes.Multiply(TLanes.Broadcast(1.7777777777777777f), x0))));
        TLanes.Store(t3, target + 3 * targetStep);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.13333333333333333f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.26666666666666666f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.5333333333333333f), x1, TLanes.Multiply(TLanes.Broadcast(1.0666666666666667f), x0))));
        TLanes.Store(t4, target + 4 * targetStep);
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(0.35555555555555557f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.17777777777777778f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(0.08888888888888889f), x1, TLanes.Multiply(TLanes.Broadcast(0.044444444444444446f), x0))));
        TLanes.Store(t5, target + 5 * targetStep);
        TLanes.Store(x3, target + 6 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WeightGradient(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(0.044444444444444446f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(1.0666666666666667f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(1.7777777777777777f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.2222222222222222f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.6666666666666666f), x1, TLanes.Multiply(TLanes.Broadcast(-2.0f), x0))))));
        TLanes.Store(t0, target + 0);
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(0.08888888888888889f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(-0.5333333333333333f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.8888888888888888f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.2222222222222222f), x2, TLanes.Multiply(TLanes.Broadcast(-0.6666666666666666f), x1)))));
        TLanes.Store(t1, target + targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.17777777777777778f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(0.26666666666666666f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.4444444444444444f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.2222222222222222f), x2, TLanes.Multiply(TLanes.Broadcast(-0.6666666666666666f), x1)))));
        TLanes.Store(t2, target + 2 * targetStep);
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(0.35555555555555557f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(-0.13333333333333333f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.2222222222222222f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.2222222222222222f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.6666666666666666f), x1, x6)))));
        TLanes.Store(t3, target + 3 * targetStep);
    }
}

/// <summary>F(6, 4) with points 0, +-2/5, +-17/20, +-5/4, 3 and infinity.</summary>
internal readonly unsafe struct Form6x4<TVector, TLanes> : IFilterForm
    where TLanes : struct, ILanes<TVector>
{
    public static int Outputs => 6;

    public static int Kernel => 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector x7 = TLanes.Load(source + 7 * step);
        TVector x8 = TLanes.Load(source + 8 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(-3.0f), x0, x1);
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(-3.0f), x1, x2);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(-3.0f), x2, x3);
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(-3.0f), x3, x4);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(-3.0f), x4, x5);
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(-3.0f), x5, x6);
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(-3.0f), x6, x7);
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(-3.0f), x7, x8);
        TVector t8 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.445f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(1.49450625f), t2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.180625f), t0, t6)));
        TLanes.Store(t8, target + 0);
        TVector t9 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.285f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(1.12890625f), t2, t6));
        TVector t10 = TLanes.MultiplyAdd(TLanes.Broadcast(0.4f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(-0.914f), t3, TLanes.Multiply(TLanes.Broadcast(0.4515625f), t1)));
        TLanes.Store(TLanes.Add(t9, t10), target + targetStep);
        TLanes.Store(TLanes.Subtract(t9, t10), target + 2 * targetStep);
        TVector t11 = TLanes.MultiplyAdd(TLanes.Broadcast(-1.7225f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(0.25f), t2, t6));
        TVector t12 = TLanes.MultiplyAdd(TLanes.Broadcast(0.85f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(-1.464125f), t3, TLanes.Multiply(TLanes.Broadcast(0.2125f), t1)));
        TLanes.Store(TLanes.Add(t11, t12), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t11, t12), target + 4 * targetStep);
        TVector t13 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.8825f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(0.1156f), t2, t6));
        TVector t14 = TLanes.MultiplyAdd(TLanes.Broadcast(1.25f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(-1.103125f), t3, TLanes.Multiply(TLanes.Broadcast(0.1445f), t1)));
        TLanes.Store(TLanes.Add(t13, t14), target + 5 * targetStep);
        TLanes.Store(TLanes.Subtract(t13, t14), target + 6 * targetStep);
        TVector t15 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.445f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(1.49450625f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.180625f), x1, x7)));
        TLanes.Store(t15, target + 7 * targetStep);
        TVector t16 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.445f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(1.49450625f), t3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.180625f), t1, t7)));
        TLanes.Store(t16, target + 8 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector x7 = TLanes.Load(source + 7 * step);
        TVector x8 = TLanes.Load(source + 8 * step);
        TVector t0 = TLanes.Add(x1, x2);
        TVector t1 = TLanes.Subtract(x1, x2);
        TVector t2 = TLanes.Add(x3, x4);
        TVector t3 = TLanes.Subtract(x3, x4);
        TVector t4 = TLanes.Add(x5, x6);
        TVector t5 = TLanes.Subtract(x5, x6);
        TVector t6 = TLanes.Add(TLanes.Add(TLanes.Add(TLanes.Add(x0, x7), t0), t2), t4);
        TLanes.Store(t6, target + 0);
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(1.25f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(0.85f), t3, TLanes.MultiplyAdd(TLanes.Broadcast(0.4f), t1, TLanes.Multiply(TLanes.Broadcast(3.0f), x7))));
        TLanes.Store(t7, target + targetStep);
        TVector t8 = TLanes.MultiplyAdd(TLanes.Broadcast(1.5625f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(0.7225f), t2, TLanes.MultiplyAdd(TLanes.Broadcast(0.16f), t0, TLanes.Multiply(TLanes.Broadcast(9.0f), x7))));
        TLanes.Store(t8, target + 2 * targetStep);
        TVector t9 = TLanes.MultiplyAdd(TLanes.Broadcast(1.953125f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(0.614125f), t3, TLanes.MultiplyAdd(TLanes.Broadcast(0.064f), t1, TLanes.Multiply(TLanes.Broadcast(27.0f), x7))));
        TLanes.Store(t9, target + 3 * targetStep);
        TVector t10 = TLanes.MultiplyAdd(TLanes.Broadcast(2.44140625f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(0.52200625f), t2, TLanes.MultiplyAdd(TLanes.Broadcast(0.0256f), t0, TLanes.Multiply(TLanes.Broadcast(81.0f), x7))));
        TLanes.Store(t10, target + 4 * targetStep);
        TVector t11 = TLanes.MultiplyAdd(TLanes.Broadcast(3.0517578125f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(0.4437053125f), t3, TLanes.MultiplyAdd(TLanes.Broadcast(0.01024f), t1, TLanes.MultiplyAdd(TLanes.Broadcast(243.0f), x7, x8))));
        TLanes.Store(t11, target + 5 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputGradient(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(0.0256f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.16f), x2, x0));
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(0.01024f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(0.064f), x3, TLanes.Multiply(TLanes.Broadcast(0.4f), x1)));
        TLanes.Store(TLanes.Add(t0, t1), target + targetStep);
        TLanes.Store(TLanes.Subtract(t0, t1), target + 2 * targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.52200625f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.7225f), x2, x0));
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(0.4437053125f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(0.614125f), x3, TLanes.Multiply(TLanes.Broadcast(0.85f), x1)));
        TLanes.Store(TLanes.Add(t2, t3), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t2, t3), target + 4 * targetStep);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(2.44140625f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(1.5625f), x2, x0));
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(3.0517578125f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(1.953125f), x3, TLanes.Multiply(TLanes.Broadcast(1.25f), x1)));
        TLanes.Store(TLanes.Add(t4, t5), target + 5 * targetStep);
        TLanes.Store(TLanes.Subtract(t4, t5), target + 6 * targetStep);
        TLanes.Store(x0, target + 0);
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(243.0f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(81.0f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(27.0f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(9.0f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(3.0f), x1, x0)))));
        TLanes.Store(t6, target + 7 * targetStep);
        TLanes.Store(x5, target + 8 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weights(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector t0 = TLanes.Multiply(TLanes.Broadcast(1.845444059976932f), x0);
        TLanes.Store(t0, target + 0);
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.09750597985892104f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.24376494964730258f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.6094123741182564f), x1, TLanes.Multiply(TLanes.Broadcast(-1.5235309352956412f), x0))));
        TLanes.Store(t1, target + targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.07456339636270432f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.18640849090676082f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(0.466021227266902f), x1, TLanes.Multiply(TLanes.Broadcast(-1.165053068167255f), x0))));
        TLanes.Store(t2, target + 2 * targetStep);
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(0.4183585578934416f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.4921865386981666f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(0.5790429867037254f), x1, TLanes.Multiply(TLanes.Broadcast(0.6812270431808535f), x0))));
        TLanes.Store(t3, target + 3 * targetStep);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.2336288050573765f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.27485741771456057f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.323361667899483f), x1, TLanes.Multiply(TLanes.Broadcast(0.3804254916464506f), x0))));
        TLanes.Store(t4, target + 4 * targetStep);
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.30315156365576534f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.24252125092461227f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.1940170007396898f), x1, TLanes.Multiply(TLanes.Broadcast(-0.15521360059175185f), x0))));
        TLanes.Store(t5, target + 5 * targetStep);
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(0.12482711444649161f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.0998616915571933f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(0.07988935324575464f), x1, TLanes.Multiply(TLanes.Broadcast(-0.0639114825966037f), x0))));
        TLanes.Store(t6, target + 6 * targetStep);
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(0.01653727986942531f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.005512426623141771f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(0.001837475541047257f), x1, TLanes.Multiply(TLanes.Broadcast(0.0006124918470157523f), x0))));
        TLanes.Store(t7, target + 7 * targetStep);
        TLanes.Store(x3, target + 8 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WeightGradient(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector x7 = TLanes.Load(source + 7 * step);
        TVector x8 = TLanes.Load(source + 8 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(0.0006124918470157523f), x7, TLanes.MultiplyAdd(TLanes.Broadcast(-0.0639114825966037f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(-0.15521360059175185f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(0.3804254916464506f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.6812270431808535f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(-1.165053068167255f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(-1.5235309352956412f), x1, TLanes.Multiply(TLanes.Broadcast(1.845444059976932f), x0))))))));
        TLanes.Store(t0, target + 0);
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(0.001837475541047257f), x7, TLanes.MultiplyAdd(TLanes.Broadcast(0.07988935324575464f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(-0.1940170007396898f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(-0.323361667899483f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.5790429867037254f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.466021227266902f), x2, TLanes.Multiply(TLanes.Broadcast(-0.6094123741182564f), x1)))))));
        TLanes.Store(t1, target + targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.005512426623141771f), x7, TLanes.MultiplyAdd(TLanes.Broadcast(-0.0998616915571933f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(-0.24252125092461227f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(0.27485741771456057f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.4921865386981666f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.18640849090676082f), x2, TLanes.Multiply(TLanes.Broadcast(-0.24376494964730258f), x1)))))));
        TLanes.Store(t2, target + 2 * targetStep);
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(0.01653727986942531f), x7, TLanes.MultiplyAdd(TLanes.Broadcast(0.12482711444649161f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(-0.30315156365576534f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(-0.2336288050573765f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.4183585578934416f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.07456339636270432f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.09750597985892104f), x1, x8)))))));
        TLanes.Store(t3, target + 3 * targetStep);
    }
}

/// <summary>F(7, 4) with points 0, +-2/5, +-3/4, +-5/4, +-5/2 and infinity.</summary>
internal readonly unsafe struct Form7x4<TVector, TLanes> : IFilterForm
    where TLanes : struct, ILanes<TVector>
{
    public static int Outputs => 7;

    public static int Kernel => 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector x7 = TLanes.Load(source + 7 * step);
        TVector x8 = TLanes.Load(source + 8 * step);
        TVector x9 = TLanes.Load(source + 9 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(-8.535f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(15.50015625f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(-7.7587890625f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(0.87890625f), x0, x8))));
        TLanes.Store(t0, target + 0);
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(-8.375f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(14.16015625f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(-5.4931640625f), x2, x8)));
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.4f), x7, TLanes.MultiplyAdd(TLanes.Broadcast(-3.35f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(5.6640625f), x3, TLanes.Multiply(TLanes.Broadcast(-2.197265625f), x1))));
        TLanes.Store(TLanes.Add(t1, t2), target + targetStep);
        TLanes.Store(TLanes.Subtract(t1, t2), target + 2 * targetStep);
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(-7.9725f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(11.015625f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(-1.5625f), x2, x8)));
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(0.75f), x7, TLanes.MultiplyAdd(TLanes.Broadcast(-5.979375f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(8.26171875f), x3, TLanes.Multiply(TLanes.Broadcast(-1.171875f), x1))));
        TLanes.Store(TLanes.Add(t3, t4), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t3, t4), target + 4 * targetStep);
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(-6.9725f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(4.605625f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(-0.5625f), x2, x8)));
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(1.25f), x7, TLanes.MultiplyAdd(TLanes.Broadcast(-8.715625f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(5.75703125f), x3, TLanes.Multiply(TLanes.Broadcast(-0.703125f), x1))));
        TLanes.Store(TLanes.Add(t5, t6), target + 5 * targetStep);
        TLanes.Store(TLanes.Subtract(t5, t6), target + 6 * targetStep);
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.285f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(1.21890625f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(-0.140625f), x2, x8)));
        TVector t8 = TLanes.MultiplyAdd(TLanes.Broadcast(2.5f), x7, TLanes.MultiplyAdd(TLanes.Broadcast(-5.7125f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(3.047265625f), x3, TLanes.Multiply(TLanes.Broadcast(-0.3515625f), x1))));
        TLanes.Store(TLanes.Add(t7, t8), target + 7 * targetStep);
        TLanes.Store(TLanes.Subtract(t7, t8), target + 8 * targetStep);
        TVector t9 = TLanes.MultiplyAdd(TLanes.Broadcast(-8.535f), x7, TLanes.MultiplyAdd(TLanes.Broadcast(15.50015625f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(-7.7587890625f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.87890625f), x1, x9))));
        TLanes.Store(t9, target + 9 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector x7 = TLanes.Load(source + 7 * step);
        TVector x8 = TLanes.Load(source + 8 * step);
        TVector x9 = TLanes.Load(source + 9 * step);
        TVector t0 = TLanes.Add(x1, x2);
        TVector t1 = TLanes.Subtract(x1, x2);
        TVector t2 = TLanes.Add(x3, x4);
        TVector t3 = TLanes.Subtract(x3, x4);
        TVector t4 = TLanes.Add(x5, x6);
        TVector t5 = TLanes.Subtract(x5, x6);
        TVector t6 = TLanes.Add(x7, x8);
        TVector t7 = TLanes.Subtract(x7, x8);
        TVector t8 = TLanes.Add(TLanes.Add(TLanes.Add(TLanes.Add(x0, t0), t2), t4), t6);
        TLanes.Store(t8, target + 0);
        TVector t9 = TLanes.MultiplyAdd(TLanes.Broadcast(2.5f), t7, TLanes.MultiplyAdd(TLanes.Broadcast(1.25f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(0.75f), t3, TLanes.Multiply(TLanes.Broadcast(0.4f), t1))));
        TLanes.Store(t9, target + targetStep);
        TVector t10 = TLanes.MultiplyAdd(TLanes.Broadcast(6.25f), t6, TLanes.MultiplyAdd(TLanes.Broadcast(1.5625f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(0.5625f), t2, TLanes.Multiply(TLanes.Broadcast(0.16f), t0))));
        TLanes.Store(t10, target + 2 * targetStep);
        TVector t11 = TLanes.MultiplyAdd(TLanes.Broadcast(15.625f), t7, TLanes.MultiplyAdd(TLanes.Broadcast(1.953125f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(0.421875f), t3, TLanes.Multiply(TLanes.Broadcast(0.064f), t1))));
        TLanes.Store(t11, target + 3 * targetStep);
        TVector t12 = TLanes.MultiplyAdd(TLanes.Broadcast(39.0625f), t6, TLanes.MultiplyAdd(TLanes.Broadcast(2.44140625f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(0.31640625f), t2, TLanes.Multiply(TLanes.Broadcast(0.0256f), t0))));
        TLanes.Store(t12, target + 4 * targetStep);
        TVector t13 = TLanes.MultiplyAdd(TLanes.Broadcast(97.65625f), t7, TLanes.MultiplyAdd(TLanes.Broadcast(3.0517578125f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(0.2373046875f), t3, TLanes.Multiply(TLanes.Broadcast(0.01024f), t1))));
        TLanes.Store(t13, target + 5 * targetStep);
        TVector t14 = TLanes.MultiplyAdd(TLanes.Broadcast(244.140625f), t6, TLanes.MultiplyAdd(TLanes.Broadcast(3.814697265625f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(0.177978515625f), t2, TLanes.MultiplyAdd(TLanes.Broadcast(0.004096f), t0, x9))));
        TLanes.Store(t14, target + 6 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputGradient(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(0.004096f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(0.0256f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.16f), x2, x0)));
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(0.01024f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(0.064f), x3, TLanes.Multiply(TLanes.Broadcast(0.4f), x1)));
        TLanes.Store(TLanes.Add(t0, t1), target + targetStep);
        TLanes.Store(TLanes.Subtract(t0, t1), target + 2 * targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.177978515625f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(0.31640625f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.5625f), x2, x0)));
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(0.2373046875f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(0.421875f), x3, TLanes.Multiply(TLanes.Broadcast(0.75f), x1)));
        TLanes.Store(TLanes.Add(t2, t3), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t2, t3), target + 4 * targetStep);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(3.814697265625f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(2.44140625f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(1.5625f), x2, x0)));
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(3.0517578125f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(1.953125f), x3, TLanes.Multiply(TLanes.Broadcast(1.25f), x1)));
        TLanes.Store(TLanes.Add(t4, t5), target + 5 * targetStep);
        TLanes.Store(TLanes.Subtract(t4, t5), target + 6 * targetStep);
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(244.140625f), x6, TLanes.MultiplyAdd(TLanes.Broadcast(39.0625f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(6.25f), x2, x0)));
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(97.65625f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(15.625f), x3, TLanes.Multiply(TLanes.Broadcast(2.5f), x1)));
        TLanes.Store(TLanes.Add(t6, t7), target + 7 * targetStep);
        TLanes.Store(TLanes.Subtract(t6, t7), target + 8 * targetStep);
        TLanes.Store(x0, target + 0);
        TLanes.Store(x6, target + 9 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weights(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.1454400305394976f), x2, TLanes.Multiply(TLanes.Broadcast(-0.9090001908718601f), x0));
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.058176012215799044f), x3, TLanes.Multiply(TLanes.Broadcast(-0.36360007634874403f), x1));
        TLanes.Store(TLanes.Add(t0, t1), target + targetStep);
        TLanes.Store(TLanes.Subtract(t0, t1), target + 2 * targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.21841512524742338f), x2, TLanes.Multiply(TLanes.Broadcast(0.38829355599541937f), x0));
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(0.16381134393556754f), x3, TLanes.Multiply(TLanes.Broadcast(0.2912201669965645f), x1));
        TLanes.Store(TLanes.Add(t2, t3), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t2, t3), target + 4 * targetStep);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.07605466428995841f), x2, TLanes.Multiply(TLanes.Broadcast(-0.048674985145573384f), x0));
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.09506833036244801f), x3, TLanes.Multiply(TLanes.Broadcast(-0.060843731431966724f), x1));
        TLanes.Store(TLanes.Add(t4, t5), target + 5 * targetStep);
        TLanes.Store(TLanes.Subtract(t4, t5), target + 6 * targetStep);
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(0.0030795695820326364f), x2, TLanes.Multiply(TLanes.Broadcast(0.0004927311331252218f), x0));
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(0.007698923955081591f), x3, TLanes.Multiply(TLanes.Broadcast(0.0012318278328130544f), x1));
        TLanes.Store(TLanes.Add(t6, t7), target + 7 * targetStep);
        TLanes.Store(TLanes.Subtract(t6, t7), target + 8 * targetStep);
        TVector t8 = TLanes.Multiply(TLanes.Broadcast(1.1377777777777778f), x0);
        TLanes.Store(t8, target + 0);
        TLanes.Store(x3, target + 9 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WeightGradient(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector x7 = TLanes.Load(source + 7 * step);
        TVector x8 = TLanes.Load(source + 8 * step);
        TVector x9 = TLanes.Load(source + 9 * step);
        TVector t0 = TLanes.Add(x1, x2);
        TVector t1 = TLanes.Subtract(x1, x2);
        TVector t2 = TLanes.Add(x3, x4);
        TVector t3 = TLanes.Subtract(x3, x4);
        TVector t4 = TLanes.Add(x5, x6);
        TVector t5 = TLanes.Subtract(x5, x6);
        TVector t6 = TLanes.Add(x7, x8);
        TVector t7 = TLanes.Subtract(x7, x8);
        TVector t8 = TLanes.MultiplyAdd(TLanes.Broadcast(0.0004927311331252218f), t6, TLanes.MultiplyAdd(TLanes.Broadcast(-0.048674985145573384f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(0.38829355599541937f), t2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.9090001908718601f), t0, TLanes.Multiply(TLanes.Broadcast(1.1377777777777778f), x0)))));
        TLanes.Store(t8, target + 0);
        TVector t9 = TLanes.MultiplyAdd(TLanes.Broadcast(0.0012318278328130544f), t7, TLanes.MultiplyAdd(TLanes.Broadcast(-0.060843731431966724f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(0.2912201669965645f), t3, TLanes.Multiply(TLanes.Broadcast(-0.36360007634874403f), t1))));
        TLanes.Store(t9, target + targetStep);
        TVector t10 = TLanes.MultiplyAdd(TLanes.Broadcast(0.0030795695820326364f), t6, TLanes.MultiplyAdd(TLanes.Broadcast(-0.07605466428995841f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(0.21841512524742338f), t2, TLanes.Multiply(TLanes.Broadcast(-0.1454400305394976f), t0))));
        TLanes.Store(t10, target + 2 * targetStep);
        TVector t11 = TLanes.MultiplyAdd(TLanes.Broadcast(0.007698923955081591f), t7, TLanes.MultiplyAdd(TLanes.Broadcast(-0.09506833036244801f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(0.16381134393556754f), t3, TLanes.MultiplyAdd(TLanes.Broadcast(-0.058176012215799044f), t1, x9))));
        TLanes.Store(t11, target + 3 * targetStep);
    }
}

/// <summary>F(4, 3) with points 0, +-3/5, +-4/3 and infinity.</summary>
internal readonly unsafe struct Form4x3<TVector, TLanes> : IFilterForm
    where TLanes : struct, ILanes<TVector>
{
    public static int Outputs => 4;

    public static int Kernel => 3;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.137777777777778f), x2, TLanes.MultiplyAdd(TLanes.Broadcast(0.64f), x0, x4));
        TLanes.Store(t0, target + 0);
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(-1.7777777777777777f), x2, x4);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.6f), x3, TLanes.Multiply(TLanes.Broadcast(-1.0666666666666667f), x1));
        TLanes.Store(TLanes.Add(t1, t2), target + targetStep);
        TLanes.Store(TLanes.Subtract(t1, t2), target + 2 * targetStep);
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.36f), x2, x4);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(1.3333333333333333f), x3, TLanes.Multiply(TLanes.Broadcast(-0.48f), x1));
        TLanes.Store(TLanes.Add(t3, t4), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t3, t4), target + 4 * targetStep);
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(-2.137777777777778f), x3, TLanes.MultiplyAdd(TLanes.Broadcast(0.64f), x1, x5));
        TLanes.Store(t5, target + 5 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector t0 = TLanes.Add(x1, x2);
        TVector t1 = TLanes.Subtract(x1, x2);
        TVector t2 = TLanes.Add(x3, x4);
        TVector t3 = TLanes.Subtract(x3, x4);
        TVector t4 = TLanes.Add(TLanes.Add(x0, t0), t2);
        TLanes.Store(t4, target + 0);
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(1.3333333333333333f), t3, TLanes.Multiply(TLanes.Broadcast(0.6f), t1));
        TLanes.Store(t5, target + targetStep);
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(1.7777777777777777f), t2, TLanes.Multiply(TLanes.Broadcast(0.36f), t0));
        TLanes.Store(t6, target + 2 * targetStep);
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(2.3703703703703702f), t3, TLanes.MultiplyAdd(TLanes.Broadcast(0.216f), t1, x5));
        TLanes.Store(t7, target + 3 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputGradient(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(0.36f), x2, x0);
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(0.216f), x3, TLanes.Multiply(TLanes.Broadcast(0.6f), x1));
        TLanes.Store(TLanes.Add(t0, t1), target + targetStep);
        TLanes.Store(TLanes.Subtract(t0, t1), target + 2 * targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(1.7777777777777777f), x2, x0);
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(2.3703703703703702f), x3, TLanes.Multiply(TLanes.Broadcast(1.3333333333333333f), x1));
        TLanes.Store(TLanes.Add(t2, t3), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t2, t3), target + 4 * targetStep);
        TLanes.Store(x0, target + 0);
        TLanes.Store(x3, target + 5 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weights(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.35266457680250785f), x2, TLanes.Multiply(TLanes.Broadcast(-0.9796238244514106f), x0));
        TVector t1 = TLanes.Multiply(TLanes.Broadcast(-0.5877742946708464f), x1);
        TLanes.Store(TLanes.Add(t0, t1), target + targetStep);
        TLanes.Store(TLanes.Subtract(t0, t1), target + 2 * targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.35266457680250785f), x2, TLanes.Multiply(TLanes.Broadcast(0.19837382445141066f), x0));
        TVector t3 = TLanes.Multiply(TLanes.Broadcast(0.2644984326018809f), x1);
        TLanes.Store(TLanes.Add(t2, t3), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t2, t3), target + 4 * targetStep);
        TVector t4 = TLanes.Multiply(TLanes.Broadcast(1.5625f), x0);
        TLanes.Store(t4, target + 0);
        TLanes.Store(x2, target + 5 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WeightGradient(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector t0 = TLanes.Add(x1, x2);
        TVector t1 = TLanes.Subtract(x1, x2);
        TVector t2 = TLanes.Add(x3, x4);
        TVector t3 = TLanes.Subtract(x3, x4);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(0.19837382445141066f), t2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.9796238244514106f), t0, TLanes.Multiply(TLanes.Broadcast(1.5625f), x0)));
        TLanes.Store(t4, target + 0);
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(0.2644984326018809f), t3, TLanes.Multiply(TLanes.Broadcast(-0.5877742946708464f), t1));
        TLanes.Store(t5, target + targetStep);
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(0.35266457680250785f), t2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.35266457680250785f), t0, x5));
        TLanes.Store(t6, target + 2 * targetStep);
    }
}

/// <summary>F(6, 3) with points 0, +-1, +-2, +-1/2 and infinity.</summary>
internal readonly unsafe struct Form6x3<TVector, TLanes> : IFilterForm
    where TLanes : struct, ILanes<TVector>
{
    public static int Outputs => 6;

    public static int Kernel => 3;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector x7 = TLanes.Load(source + 7 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(-5.25f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(5.25f), x2, TLanes.Subtract(x6, x0)));
        TLanes.Store(t0, target + 0);
        TVector t1 = TLanes.MultiplyAdd(TLanes.Broadcast(-4.25f), x4, TLanes.Add(x2, x6));
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(-4.25f), x3, TLanes.Add(x1, x5));
        TLanes.Store(TLanes.Add(t1, t2), target + targetStep);
        TLanes.Store(TLanes.Subtract(t1, t2), target + 2 * targetStep);
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(-1.25f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.25f), x2, x6));
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(2.0f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(-2.5f), x3, TLanes.Multiply(TLanes.Broadcast(0.5f), x1)));
        TLanes.Store(TLanes.Add(t3, t4), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t3, t4), target + 4 * targetStep);
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(-5.0f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(4.0f), x2, x6));
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(0.5f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(-2.5f), x3, TLanes.Multiply(TLanes.Broadcast(2.0f), x1)));
        TLanes.Store(TLanes.Add(t5, t6), target + 5 * targetStep);
        TLanes.Store(TLanes.Subtract(t5, t6), target + 6 * targetStep);
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(-5.25f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(5.25f), x3, TLanes.Subtract(x7, x1)));
        TLanes.Store(t7, target + 7 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector x7 = TLanes.Load(source + 7 * step);
        TVector t0 = TLanes.Add(x1, x2);
        TVector t1 = TLanes.Subtract(x1, x2);
        TVector t2 = TLanes.Add(x3, x4);
        TVector t3 = TLanes.Subtract(x3, x4);
        TVector t4 = TLanes.Add(x5, x6);
        TVector t5 = TLanes.Subtract(x5, x6);
        TVector t6 = TLanes.Add(TLanes.Add(TLanes.Add(x0, t0), t2), t4);
        TLanes.Store(t6, target + 0);
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(0.5f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(2.0f), t3, t1));
        TLanes.Store(t7, target + targetStep);
        TVector t8 = TLanes.MultiplyAdd(TLanes.Broadcast(0.25f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(4.0f), t2, t0));
        TLanes.Store(t8, target + 2 * targetStep);
        TVector t9 = TLanes.MultiplyAdd(TLanes.Broadcast(0.125f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(8.0f), t3, t1));
        TLanes.Store(t9, target + 3 * targetStep);
        TVector t10 = TLanes.MultiplyAdd(TLanes.Broadcast(0.0625f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(16.0f), t2, t0));
        TLanes.Store(t10, target + 4 * targetStep);
        TVector t11 = TLanes.MultiplyAdd(TLanes.Broadcast(0.03125f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(32.0f), t3, TLanes.Add(x7, t1)));
        TLanes.Store(t11, target + 5 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputGradient(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector t0 = TLanes.Add(TLanes.Add(x0, x2), x4);
        TVector t1 = TLanes.Add(TLanes.Add(x1, x3), x5);
        TLanes.Store(TLanes.Add(t0, t1), target + targetStep);
        TLanes.Store(TLanes.Subtract(t0, t1), target + 2 * targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(16.0f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(4.0f), x2, x0));
        TVector t3 = TLanes.MultiplyAdd(TLanes.Broadcast(32.0f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(8.0f), x3, TLanes.Multiply(TLanes.Broadcast(2.0f), x1)));
        TLanes.Store(TLanes.Add(t2, t3), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t2, t3), target + 4 * targetStep);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(0.0625f), x4, TLanes.MultiplyAdd(TLanes.Broadcast(0.25f), x2, x0));
        TVector t5 = TLanes.MultiplyAdd(TLanes.Broadcast(0.03125f), x5, TLanes.MultiplyAdd(TLanes.Broadcast(0.125f), x3, TLanes.Multiply(TLanes.Broadcast(0.5f), x1)));
        TLanes.Store(TLanes.Add(t4, t5), target + 5 * targetStep);
        TLanes.Store(TLanes.Subtract(t4, t5), target + 6 * targetStep);
        TLanes.Store(x0, target + 0);
        TLanes.Store(x5, target + 7 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weights(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector t0 = TLanes.MultiplyAdd(TLanes.Broadcast(-0.2222222222222222f), x2, TLanes.Multiply(TLanes.Broadcast(-0.2222222222222222f), x0));
        TVector t1 = TLanes.Multiply(TLanes.Broadcast(-0.2222222222222222f), x1);
        TLanes.Store(TLanes.Add(t0, t1), target + targetStep);
        TLanes.Store(TLanes.Subtract(t0, t1), target + 2 * targetStep);
        TVector t2 = TLanes.MultiplyAdd(TLanes.Broadcast(0.044444444444444446f), x2, TLanes.Multiply(TLanes.Broadcast(0.011111111111111112f), x0));
        TVector t3 = TLanes.Multiply(TLanes.Broadcast(0.022222222222222223f), x1);
        TLanes.Store(TLanes.Add(t2, t3), target + 3 * targetStep);
        TLanes.Store(TLanes.Subtract(t2, t3), target + 4 * targetStep);
        TVector t4 = TLanes.MultiplyAdd(TLanes.Broadcast(0.17777777777777778f), x2, TLanes.Multiply(TLanes.Broadcast(0.7111111111111111f), x0));
        TVector t5 = TLanes.Multiply(TLanes.Broadcast(0.35555555555555557f), x1);
        TLanes.Store(TLanes.Add(t4, t5), target + 5 * targetStep);
        TLanes.Store(TLanes.Subtract(t4, t5), target + 6 * targetStep);
        TVector t6 = TLanes.Multiply(TLanes.Broadcast(-1.0f), x0);
        TLanes.Store(t6, target + 0);
        TLanes.Store(x2, target + 7 * targetStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WeightGradient(float* source, nint step, float* target, nint targetStep)
    {
        TVector x0 = TLanes.Load(source + 0);
        TVector x1 = TLanes.Load(source + step);
        TVector x2 = TLanes.Load(source + 2 * step);
        TVector x3 = TLanes.Load(source + 3 * step);
        TVector x4 = TLanes.Load(source + 4 * step);
        TVector x5 = TLanes.Load(source + 5 * step);
        TVector x6 = TLanes.Load(source + 6 * step);
        TVector x7 = TLanes.Load(source + 7 * step);
        TVector t0 = TLanes.Add(x1, x2);
        TVector t1 = TLanes.Subtract(x1, x2);
        TVector t2 = TLanes.Add(x3, x4);
        TVector t3 = TLanes.Subtract(x3, x4);
        TVector t4 = TLanes.Add(x5, x6);
        TVector t5 = TLanes.Subtract(x5, x6);
        TVector t6 = TLanes.MultiplyAdd(TLanes.Broadcast(0.7111111111111111f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(0.011111111111111112f), t2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.2222222222222222f), t0, TLanes.Multiply(TLanes.Broadcast(-1.0f), x0))));
        TLanes.Store(t6, target + 0);
        TVector t7 = TLanes.MultiplyAdd(TLanes.Broadcast(0.35555555555555557f), t5, TLanes.MultiplyAdd(TLanes.Broadcast(0.022222222222222223f), t3, TLanes.Multiply(TLanes.Broadcast(-0.2222222222222222f), t1)));
        TLanes.Store(t7, target + targetStep);
        TVector t8 = TLanes.MultiplyAdd(TLanes.Broadcast(0.17777777777777778f), t4, TLanes.MultiplyAdd(TLanes.Broadcast(0.044444444444444446f), t2, TLanes.MultiplyAdd(TLanes.Broadcast(-0.2222222222222222f), t0, x7)));
        TLanes.Store(t8, target + 2 * targetStep);
    }
}
