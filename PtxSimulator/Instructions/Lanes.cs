using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PtxSimulator.Instructions;

/// <summary>Access to the lanes of registers. 8- and 16-bit values lie in lanes of 32 bits, extended with
/// zeros.</summary>
internal static unsafe class Lanes
{
    /// <summary>Bytes between two lanes of a register of type <typeparamref name="T"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Stride<T>() where T : unmanaged => sizeof(T) == 8 ? 8 : 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Get<T>(byte* slot, int lane) where T : unmanaged => *(T*)(slot + lane * Stride<T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set<T>(byte* slot, int lane, T value) where T : unmanaged
    {
        if (sizeof(T) < 4) ((uint*)slot)[lane] = 0;
        *(T*)(slot + lane * Stride<T>()) = value;
    }

    /// <summary>Writes 64 bytes of a register from <paramref name="offset"/> on, in the lanes of the mask
    /// alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<T>(byte* slot, int offset, Vector512<T> value, uint mask) where T : unmanaged
    {
        if (mask != ~0u)
            value = Vector512.ConditionalSelect(Chosen<T>(mask, offset), value, Vector512.Load((T*)(slot + offset)));
        value.Store((T*)(slot + offset));
    }

    /// <summary>All ones in those of the lanes at <paramref name="offset"/> that the mask names.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Chosen<T>(uint mask, int offset) where T : unmanaged
    {
        if (sizeof(T) == 8)
        {
            var bits = Vector512.Create(1ul, 2, 4, 8, 16, 32, 64, 128);
            return Vector512.Equals(Vector512.Create((ulong)mask >> (offset / 8)) & bits, bits).As<ulong, T>();
        }
        else
        {
            var bits = Vector512.Create(1u, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
            return Vector512.Equals(Vector512.Create(mask >> (offset / 4)) & bits, bits).As<uint, T>();
        }
    }

    /// <summary>Takes the lowest lane out of a mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int TakeLowest(ref uint mask)
    {
        var lane = BitOperations.TrailingZeroCount(mask);
        mask &= mask - 1;
        return lane;
    }
}
