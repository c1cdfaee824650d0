using PtxSimulator.Execution;
using PtxSimulator.Memory;

namespace PtxSimulator.Instructions;

/// <summary>A descriptor of wgmma: where rows of 16-bit values, with k innermost, lie in shared memory.</summary>
/// <remarks>From the PTX manual: the start in bits 0 to 13, the distance along k (without swizzle) in 16 to 29, that
/// between groups of eight rows in 32 to 45, all in units of 16 bytes; the start of the swizzle's pattern in 49 to 51;
/// in 62 and 63 the swizzle: 0 none, 1 of 128, 2 of 64, 3 of 32 bytes.</remarks>
internal readonly unsafe struct SharedMatrix
{
    private const ulong Known = 0xC00E_3FFF_3FFF_3FFF;

    private readonly uint _start, _alongK, _groups, _rows;
    private readonly int _swizzle;

    public SharedMatrix(ulong descriptor, Warp warp, Op* op)
    {
        _start = (uint)descriptor << 4 & 0x3FFF0;
        _alongK = (uint)(descriptor >> 16) << 4 & 0x3FFF0;
        _groups = (uint)(descriptor >> 32) << 4 & 0x3FFF0;
        _swizzle = (int)(descriptor >> 62) switch { 1 => 128, 2 => 64, 3 => 32, _ => 0 };
        _rows = _swizzle == 0 ? 16 : (uint)_swizzle;
        if ((descriptor & ~Known) != 0) throw Invalid(descriptor, warp, op, "has reserved bits");
        if ((descriptor >> 49 & 7) != 0)
            throw Invalid(descriptor, warp, op, "has a base offset, which is not simulated");
        // A tile that starts within the pattern would need a base offset, or the hardware's word that it does not.
        if (_swizzle != 0 && ((_start | _groups) & 0x380 & 8 * _rows - 1) != 0)
        {
            throw Invalid(descriptor, warp, op,
                $"puts rows at 0x{_start:X} and groups 0x{_groups:X} apart: with a swizzle of {_swizzle} bytes both " +
                $"must be multiples of {8 * _rows}, but for the place within a row");
        }
    }

    /// <summary>Where eight values of a row lie, from the start of the block's shared memory.</summary>
    /// <param name="chunk">Along k, in units of eight values.</param>
    public uint Chunk(int row, int chunk)
    {
        var along = _swizzle == 0 ? (uint)chunk * _alongK : (uint)chunk * 16;
        var address = _start + (uint)(row / 8) * _groups + (uint)(row % 8) * _rows + along;
        return TensorMap.Swizzle(address, _swizzle) - BlockRunner.FirstShared;
    }

    private static SimulationException Invalid(ulong descriptor, Warp warp, Op* op, string what) =>
        warp.Block.Fault(FaultKind.InvalidOperand, warp, op, 0, $"descriptor 0x{descriptor:X} {what}.");
}
