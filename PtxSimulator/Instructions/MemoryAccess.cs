using System.Numerics;
using System.Runtime.Intrinsics;
using PtxSimulator.Execution;

namespace PtxSimulator.Instructions;

/// <summary>Loads and stores, after <see cref="Op.Resolve"/> has found the place.</summary>
internal static unsafe class MemoryAccess
{
    /// <summary>Loads <see cref="Op.Count"/> elements of <typeparamref name="T"/> into registers of
    /// <typeparamref name="TRegister"/>, extended by the sign or by zeros as T says.</summary>
    public static void Load<T, TRegister>(Warp warp, Op* op)
        where T : unmanaged, IBinaryInteger<T> where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        op->Resolve(warp, op);
        for (var element = 0; element < op->Count; element++)
        {
            if (op->V[element] < 0) continue;
            var d = warp.Registers + op->V[element];
            var source = warp.Base + element * sizeof(T);
            if (warp.Pattern == AccessPattern.Contiguous && op->Count == 1 && sizeof(T) == Lanes.Stride<TRegister>())
            {
                source += warp.Offsets[0];
                for (var i = 0; i < 32 * sizeof(T); i += 64) Vector512.Load(source + i).Store(d + i);
                continue;
            }
            if (warp.Pattern == AccessPattern.Uniform)
            {
                Broadcast(d, TRegister.CreateTruncating(*(T*)(source + warp.Offsets[0])), ~0u);
                continue;
            }
            for (var rest = warp.Mask; rest != 0;)
            {
                var lane = Lanes.TakeLowest(ref rest);
                Lanes.Set(d, lane, TRegister.CreateTruncating(*(T*)(source + warp.Offsets[lane])));
            }
        }
    }

    /// <summary>Stores elements out of registers with <see cref="Op.E"/> bytes between two lanes.</summary>
    public static void Store<T>(Warp warp, Op* op) where T : unmanaged
    {
        op->Resolve(warp, op);
        for (var element = 0; element < op->Count; element++)
        {
            var source = warp.Registers + op->V[element];
            var d = warp.Base + element * sizeof(T);
            if (warp.Pattern == AccessPattern.Contiguous && op->Count == 1 && sizeof(T) == op->E)
            {
                d += warp.Offsets[0];
                for (var i = 0; i < 32 * sizeof(T); i += 64) Vector512.Load(source + i).Store(d + i);
                continue;
            }
            for (var rest = warp.Mask; rest != 0;)
            {
                var lane = Lanes.TakeLowest(ref rest);
                *(T*)(d + warp.Offsets[lane]) = *(T*)(source + lane * op->E);
            }
        }
    }

    /// <summary>Loads parameters at a place known beforehand: the same for all lanes.</summary>
    public static void LoadParameter<T, TRegister>(Warp warp, Op* op)
        where T : unmanaged, IBinaryInteger<T> where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        var source = (T*)(warp.Block.Parameters + op->Immediate);
        for (var element = 0; element < op->Count; element++)
            if (op->V[element] >= 0)
                Broadcast(warp.Registers + op->V[element], TRegister.CreateTruncating(source[element]), warp.Mask);
    }

    private static void Broadcast<TRegister>(byte* d, TRegister value, uint mask)
        where TRegister : unmanaged, IBinaryInteger<TRegister>
    {
        if (sizeof(TRegister) == 8)
        {
            var vector = Vector512.Create(ulong.CreateTruncating(value));
            for (var i = 0; i < 256; i += 64) Lanes.Put(d, i, vector, mask);
        }
        else
        {
            var vector = Vector512.Create(uint.CreateTruncating(value));
            for (var i = 0; i < 128; i += 64) Lanes.Put(d, i, vector, mask);
        }
    }
}
