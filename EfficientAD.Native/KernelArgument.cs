using System.Runtime.CompilerServices;

namespace EfficientAD.Native;

/// <summary>One argument of a launch: a value of 4 or 8 bytes as the kernel's parameter has it, or a tensor
/// map.</summary>
public readonly unsafe struct KernelArgument
{
    /// <summary>First in memory, because the driver is given the address of the argument; its low bytes come first. Of
    /// a tensor map: where it lies.</summary>
    private readonly ulong _bits;

    private KernelArgument(ulong bits, int size) => (_bits, Size) = (bits, size);

    /// <summary>Bytes of the value.</summary>
    public int Size { get; }

    /// <summary>What the driver is given: where the value lies.</summary>
    /// <param name="argument">In memory that does not move.</param>
    internal static void* ValueOf(KernelArgument* argument) =>
        argument->Size > sizeof(ulong) ? (void*)argument->_bits : argument;

    public static implicit operator KernelArgument(int value) => new((uint)value, sizeof(int));

    public static implicit operator KernelArgument(uint value) => new(value, sizeof(uint));

    public static implicit operator KernelArgument(long value) => new((ulong)value, sizeof(long));

    public static implicit operator KernelArgument(ulong value) => new(value, sizeof(ulong));

    public static implicit operator KernelArgument(float value) =>
        new(BitConverter.SingleToUInt32Bits(value), sizeof(float));

    /// <summary>A device address.</summary>
    public static implicit operator KernelArgument(nint value) => new((ulong)value, Unsafe.SizeOf<nint>());

    /// <summary>The kernel's parameter is <c>const __grid_constant__</c> of 128 bytes. Dispose of the map after the
    /// launch.</summary>
    public static implicit operator KernelArgument(TensorMap map) => new((ulong)map.Address, TensorMap.Bytes);
}
