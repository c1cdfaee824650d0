using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PtxSimulator.Memory;

/// <summary>What cuTensorMapEncodeTiled makes: a tensor in global memory, and the box of it that one instruction
/// copies. The real one's bits are NVIDIA's own; these are ours, in as many bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal struct TensorMap
{
    public const int Bytes = 128, Alignment = 64, MostDimensions = 5;

    private const ulong Mark = 0x50_41_4D_58_54_50_01_00;

    private ulong _mark;

    /// <summary>Of the first element.</summary>
    public ulong Address;

    public int Rank;

    /// <summary>Bytes of an element.</summary>
    public int ElementBytes;

    /// <summary>Bytes within which rows are exchanged: 32, 64, 128, or 0.</summary>
    public int SwizzleBytes;

    /// <summary>Elements of each dimension, the innermost first.</summary>
    public Sizes Extent;

    /// <summary>Elements that a copy takes of each dimension.</summary>
    public Box Counts;

    /// <summary>Distance in elements between two that a copy takes.</summary>
    public Box Steps;

    /// <summary>Distance in bytes between elements of each dimension but the first.</summary>
    public Pitches Pitch;

    /// <summary>Bytes that one copy writes.</summary>
    public readonly int BoxBytes
    {
        get
        {
            var bytes = ElementBytes;
            for (var i = 0; i < Rank; i++) bytes *= Counts[i];
            return bytes;
        }
    }

    public readonly bool IsValid => _mark == Mark;

    public void Sign() => _mark = Mark;

    [InlineArray(MostDimensions)]
    internal struct Sizes
    {
        private uint _first;
    }

    [InlineArray(MostDimensions)]
    internal struct Box
    {
        private ushort _first;
    }

    [InlineArray(MostDimensions - 1)]
    internal struct Pitches
    {
        private ulong _first;
    }

    /// <summary>Where a 16-byte chunk goes whose place would be <paramref name="address"/> without the swizzle: bits
    /// from 4 on are turned over by those from 7 on.</summary>
    public static uint Swizzle(uint address, int swizzleBytes) =>
        address ^ (address >> 7 & (uint)Math.Max(swizzleBytes / 16 - 1, 0)) << 4;
}
