using System.Runtime.InteropServices;
using EfficientAD.Tests.PtxSimulator.Driver;
using PtxSimulator;
using PtxSimulator.Counting;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.PtxSimulator.Hopper;

/// <summary>One block of a kernel for sm_90a that a test writes as PTX, with an input, an output and a tensor
/// map.</summary>
public static unsafe class HopperBench
{
    public const int Swizzle32 = 1, Swizzle64 = 2, Swizzle128 = 3;

    /// <summary>A tensor map of 2-byte elements, as arguments of cuTensorMapEncodeTiled.</summary>
    public sealed record Map(ulong[] Extents, ulong[] Pitches, uint[] Box)
    {
        public uint[]? Steps { get; init; }

        public int Swizzle { get; init; }

        /// <summary>Bytes from the start of the buffer to the tensor.</summary>
        public ulong Start { get; init; }

        /// <summary>Whether it is of the output.</summary>
        public bool IsOutput { get; init; }

        public int Encode(ulong address, byte* map)
        {
            Assert.Equal(0, Cu.Init());
            var encode = (delegate* unmanaged<
                byte*, int, uint, ulong, ulong*, ulong*, uint*, uint*, int, int, int, int, int>)
                SimulatedDriver.Export("cuTensorMapEncodeTiled");
            const int Half = 6;
            fixed (ulong* extents = Extents, pitches = Pitches)
            fixed (uint* box = Box, steps = Steps ?? [.. Box.Select(_ => 1u)])
            {
                return encode(
                    map, Half, (uint)Extents.Length, address + Start, extents, pitches, box, steps, 0, Swizzle, 2, 0);
            }
        }
    }

    /// <summary>Registers: %in, %out, the map's address %map, the thread %t, and %p, %r, %d, %f, %h. Shared memory:
    /// <c>tile</c>, and <c>bars</c> for mbarriers.</summary>
    public static string Kernel(string body, int tileBytes) => $$"""
        .version 8.0
        .target sm_90a
        .address_size 64
        .visible .entry test(.param .u64 input, .param .u64 output, .param .align 64 .b8 tensor[128])
        {
            .reg .pred %p<20>; .reg .b16 %h<20>; .reg .b32 %r<80>, %t; .reg .b64 %d<40>, %in, %out, %map;
            .reg .f32 %f<200>;
            .shared .align 1024 .b8 tile[{{tileBytes}}];
            .shared .align 8 .b64 bars[8];
            ld.param.u64 %in, [input];
            ld.param.u64 %out, [output];
            mov.b64 %map, tensor;
            cvta.param.u64 %map, %map;
            mov.u32 %t, %tid.x;
            {{body}}
            ret;
        }
        """;

    public static TOut[] Run<TIn, TOut>(
        string body, TIn[] input, int count, int threads, int tileBytes = 16384, Map? map = null, int seed = 0)
        where TIn : unmanaged where TOut : unmanaged =>
        Run<TIn, TOut>(body, input, count, threads, tileBytes, map, seed, out _);

    public static TOut[] Run<TIn, TOut>(
        string body, TIn[] input, int count, int threads, int tileBytes, Map? map, int seed, out LaunchReport report)
        where TIn : unmanaged where TOut : unmanaged
    {
        using var device = new SimulatedDevice(
            new SimulatedDeviceOptions { ComputeCapability = 90, MemoryBytes = 16 << 20, Seed = seed });
        var source = device.Memory.Allocate(Math.Max(1, input.Length * sizeof(TIn)), "input");
        var target = device.Memory.Allocate(Math.Max(1, count * sizeof(TOut)), "output");
        device.Memory.Write(source, MemoryMarshal.AsBytes<TIn>(input));
        device.Memory.Write(target, MemoryMarshal.AsBytes<TOut>(new TOut[count]));
        var parameters = new byte[64 + 128];
        MemoryMarshal.Write(parameters, source);
        MemoryMarshal.Write(parameters.AsSpan(8), target);
        if (map is not null)
        {
            byte* place = (byte*)NativeMemory.AlignedAlloc(128, 64);
            Assert.Equal(0, map.Encode(map.IsOutput ? target : source, place));
            new Span<byte>(place, 128).CopyTo(parameters.AsSpan(64));
            NativeMemory.AlignedFree(place);
        }
        report = device.Run(
            PtxModule.Parse(Kernel(body, tileBytes), "test.ptx").Kernels["test"], new(1), new(threads), 0, parameters);
        var written = new TOut[count];
        device.Memory.Read(target, MemoryMarshal.AsBytes(written.AsSpan()));
        return written;
    }

    /// <summary>Asserts that a fault is found under every schedule; none, where none is expected.</summary>
    /// <remarks>Of two accesses that nothing orders either may come first: a race then shows as a read of what nothing
    /// has written, or as the end of a copy that was waited for too early or too late.</remarks>
    public static void AssertFault(FaultKind? expected, string body, int threads, Map? map = null)
    {
        for (var seed = 0; seed < 6; seed++)
        {
            var exception = Record.Exception(
                () => Run<float, float>(body, new float[8192], 8192, threads, 16384, map, seed));
            var kind = exception is null ? (FaultKind?)null : Assert.IsType<SimulationException>(exception).Kind;
            if (IsRace(expected)) Assert.True(IsRace(kind), $"{kind} under schedule {seed}.");
            else Assert.Equal(expected, kind);
        }
    }

    private static bool IsRace(FaultKind? kind) =>
        kind is FaultKind.SharedMemoryRace or FaultKind.CopyInFlight or FaultKind.UninitializedRead;
}
