using PtxSimulator.Memory;

namespace PtxSimulator.Driver.Functions;

/// <summary>Tensor maps: what bulk copies of boxes take.</summary>
internal static unsafe class TensorMapFunctions
{
    private const int MostPerBox = 256, MostStep = 8;

    public static void AddTo(Dictionary<string, nint> table) => table[nameof(cuTensorMapEncodeTiled)] = (nint)(
        delegate* unmanaged<
            byte*, int, uint, ulong, ulong*, ulong*, uint*, uint*, int, int, int, int, int>)&cuTensorMapEncodeTiled;

    [System.Runtime.InteropServices.UnmanagedCallersOnly(EntryPoint = nameof(cuTensorMapEncodeTiled))]
    private static int cuTensorMapEncodeTiled(
        byte* map, int type, uint rank, ulong address, ulong* extents, ulong* pitches, uint* box, uint* steps,
        int interleave, int swizzle, int promotion, int fill) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)map, nameof(map));
        Boundary.RequireNotNull((nint)extents, nameof(extents));
        Boundary.RequireNotNull((nint)box, nameof(box));
        Boundary.RequireNotNull((nint)steps, nameof(steps));
        Require(
            (nint)map % TensorMap.Alignment == 0,
            $"the map lies at 0x{(nint)map:X}, which is no multiple of {TensorMap.Alignment}");
        Require(
            rank is >= 1 and <= TensorMap.MostDimensions, $"{rank} dimensions; 1 to {TensorMap.MostDimensions} can be");
        Require(address % 16 == 0, $"the tensor starts at 0x{address:X}, which is no multiple of 16");
        if (rank > 1) Boundary.RequireNotNull((nint)pitches, nameof(pitches));
        if (interleave != 0)
            throw new DriverException(DriverError.NotSupported, "interleaved tensors are not simulated.");
        if (fill != 0)
            throw new DriverException(DriverError.NotSupported, "NaN for what is out of bounds is not simulated.");
        Require(promotion is >= 0 and <= 3, $"the L2 promotion {promotion}");

        var made = new TensorMap
        {
            Address = address,
            Rank = (int)rank,
            ElementBytes = BytesOf(type),
            SwizzleBytes = swizzle switch
            {
                0 => 0,
                1 => 32,
                2 => 64,
                3 => 128,
                _ => throw new DriverException(DriverError.InvalidValue, $"the swizzle {swizzle}."),
            },
        };
        for (int i = 0; i < rank; i++)
        {
            Require(extents[i] is >= 1 and <= uint.MaxValue, $"dimension {i} has {extents[i]} elements");
            Require(
                box[i] is >= 1 and <= MostPerBox,
                $"the box has {box[i]} elements along dimension {i}; 1 to {MostPerBox} can be");
            Require(
                steps[i] is >= 1 and <= MostStep, $"steps of {steps[i]} along dimension {i}; 1 to {MostStep} can be");
            uint step = i == 0 ? 1 : steps[i]; // along the first the step is not looked at
            made.Extent[i] = (uint)extents[i];
            made.Counts[i] = (ushort)((box[i] + step - 1) / step);
            made.Steps[i] = (ushort)step;
            if (i == 0) continue;
            Require(pitches[i - 1] % 16 == 0 && pitches[i - 1] < 1ul << 40,
                $"elements along dimension {i} lie {pitches[i - 1]} bytes apart; it must be a multiple of 16, " +
                "below 2^40");
            made.Pitch[i - 1] = pitches[i - 1];
        }

        int row = made.Counts[0] * made.ElementBytes;
        Require(row % 16 == 0, $"a row of the box has {row} bytes, no multiple of 16");
        Require(
            swizzle == 0 || row <= made.SwizzleBytes,
            $"a row of the box has {row} bytes, the swizzle {made.SwizzleBytes}");
        if (swizzle != 0 && row < made.SwizzleBytes)
        {
            throw new DriverException(
                DriverError.NotSupported, $"rows of {row} bytes, shorter than the swizzle, are not simulated.");
        }

        made.Sign();
        *(TensorMap*)map = made;
    });

    /// <summary>CUtensorMapDataType.</summary>
    private static int BytesOf(int type) => type switch
    {
        0 => 1, // uint8
        1 or 6 or 9 => 2, // uint16, float16, bfloat16
        2 or 3 or 7 => 4, // uint32, int32, float32
        4 or 5 or 8 => 8, // uint64, int64, float64
        _ => throw new DriverException(DriverError.InvalidValue, $"the element type {type}, or it is not simulated."),
    };

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new DriverException(DriverError.InvalidValue, what + ".");
    }
}
