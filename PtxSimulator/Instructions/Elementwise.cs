using System.Runtime.Intrinsics;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

internal interface IUnary<T>
{
    static abstract Vector512<T> Of(Vector512<T> a);
}

internal interface IBinary<T>
{
    static abstract Vector512<T> Of(Vector512<T> a, Vector512<T> b);
}

internal interface ITernary<T>
{
    static abstract Vector512<T> Of(Vector512<T> a, Vector512<T> b, Vector512<T> c);
}

internal interface IUnary<TIn, TOut>
{
    static abstract TOut Of(TIn a);
}

internal interface IBinary<TIn, TOut>
{
    static abstract TOut Of(TIn a, TIn b);
}

internal interface ITernary<TIn, TOut>
{
    static abstract TOut Of(TIn a, TIn b, TIn c);
}

/// <summary>Instructions whose lanes do not know of each other: <c>Of</c> a vector, or <c>Each</c> lane
/// alone.</summary>
internal static unsafe class Elementwise
{
    public static void Unary<T, TOperation>(Warp warp, Op* op)
        where T : unmanaged where TOperation : struct, IUnary<T>
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        var mask = warp.Mask;
        for (var i = 0; i < 32 * sizeof(T); i += 64)
            Lanes.Put(d, i, TOperation.Of(Vector512.Load((T*)(a + i))), mask);
    }

    public static void Binary<T, TOperation>(Warp warp, Op* op)
        where T : unmanaged where TOperation : struct, IBinary<T>
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        var b = warp.Registers + op->B;
        var mask = warp.Mask;
        for (var i = 0; i < 32 * sizeof(T); i += 64)
            Lanes.Put(d, i, TOperation.Of(Vector512.Load((T*)(a + i)), Vector512.Load((T*)(b + i))), mask);
    }

    public static void Ternary<T, TOperation>(Warp warp, Op* op)
        where T : unmanaged where TOperation : struct, ITernary<T>
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        var mask = warp.Mask;
        var b = warp.Registers + op->B;
        var c = warp.Registers + op->C;
        for (var i = 0; i < 32 * sizeof(T); i += 64)
        {
            var result = TOperation.Of(
                Vector512.Load((T*)(a + i)), Vector512.Load((T*)(b + i)), Vector512.Load((T*)(c + i)));
            Lanes.Put(d, i, result, mask);
        }
    }

    public static void UnaryEach<TIn, TOut, TOperation>(Warp warp, Op* op)
        where TIn : unmanaged where TOut : unmanaged where TOperation : struct, IUnary<TIn, TOut>
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            Lanes.Set(d, lane, TOperation.Of(Lanes.Get<TIn>(a, lane)));
        }
    }

    public static void BinaryEach<TIn, TOut, TOperation>(Warp warp, Op* op)
        where TIn : unmanaged where TOut : unmanaged where TOperation : struct, IBinary<TIn, TOut>
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        var b = warp.Registers + op->B;
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            Lanes.Set(d, lane, TOperation.Of(Lanes.Get<TIn>(a, lane), Lanes.Get<TIn>(b, lane)));
        }
    }

    public static void TernaryEach<TIn, TOut, TOperation>(Warp warp, Op* op)
        where TIn : unmanaged where TOut : unmanaged where TOperation : struct, ITernary<TIn, TOut>
    {
        var d = warp.Registers + op->D;
        var a = warp.Registers + op->A;
        var b = warp.Registers + op->B;
        var c = warp.Registers + op->C;
        for (var rest = warp.Mask; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            Lanes.Set(d, lane, TOperation.Of(
                Lanes.Get<TIn>(a, lane), Lanes.Get<TIn>(b, lane), Lanes.Get<TIn>(c, lane)));
        }
    }
}
