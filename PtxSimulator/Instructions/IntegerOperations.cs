using System.Numerics;
using System.Runtime.Intrinsics;

namespace PtxSimulator.Instructions;

// What arithmetic, logic, predicates, reductions among lanes and atomics have in common: the same operation of vectors,
// of single lanes, and of a place in memory (whose third operand only exchanges need).

internal readonly struct Sum<T> : IBinary<T>, IBinary<T, T>, ITernary<T, T> where T : IBinaryInteger<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a + b;

    public static T Of(T a, T b) => unchecked(a + b);

    public static T Of(T a, T b, T c) => Of(a, b);
}

internal readonly struct Least<T> : IBinary<T>, IBinary<T, T>, ITernary<T, T> where T : IBinaryInteger<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.Min(a, b);

    public static T Of(T a, T b) => T.Min(a, b);

    public static T Of(T a, T b, T c) => Of(a, b);
}

internal readonly struct Greatest<T> : IBinary<T>, IBinary<T, T>, ITernary<T, T> where T : IBinaryInteger<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => Vector512.Max(a, b);

    public static T Of(T a, T b) => T.Max(a, b);

    public static T Of(T a, T b, T c) => Of(a, b);
}

internal readonly struct And<T> : IBinary<T>, IBinary<T, T>, ITernary<T, T> where T : IBinaryInteger<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a & b;

    public static T Of(T a, T b) => a & b;

    public static T Of(T a, T b, T c) => Of(a, b);
}

internal readonly struct Or<T> : IBinary<T>, IBinary<T, T>, ITernary<T, T> where T : IBinaryInteger<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a | b;

    public static T Of(T a, T b) => a | b;

    public static T Of(T a, T b, T c) => Of(a, b);
}

internal readonly struct Xor<T> : IBinary<T>, IBinary<T, T>, ITernary<T, T> where T : IBinaryInteger<T>
{
    public static Vector512<T> Of(Vector512<T> a, Vector512<T> b) => a ^ b;

    public static T Of(T a, T b) => a ^ b;

    public static T Of(T a, T b, T c) => Of(a, b);
}
