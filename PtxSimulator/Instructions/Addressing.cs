using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PtxSimulator.Checking;
using PtxSimulator.Execution;
using PtxSimulator.Memory;
using PtxSimulator.Parsing;

namespace PtxSimulator.Instructions;

/// <summary>Turns the addresses of an access into offsets from the start of its memory. Always refuses what lies
/// outside of that memory; if <c>TWatching</c> is on, everything else is checked and counted too.</summary>
internal static unsafe class Addressing
{
    /// <summary>Where shared and local memory lie among the generic addresses.</summary>
    public const ulong SharedWindow = 0x00D1_0000_0000_0000;
    public const ulong LocalWindow = 0x00D2_0000_0000_0000;

    /// <summary>Where parameters lie among them; only tensor maps are read there.</summary>
    public const ulong ParameterWindow = 0x00D3_0000_0000_0000;

    /// <summary>Global and constant memory: generic addresses.</summary>
    public static void Global<TWatching>(Warp warp, Op* op) where TWatching : struct, ISwitch
    {
        var memory = warp.Block.Launch.Memory;
        var outside = Offsets(warp, op, DeviceMemory.FirstAddress, memory.Capacity);
        if ((outside & warp.Mask) != 0) throw AccessFault.Outside(warp, op, outside & warp.Mask, StateSpace.Global);
        warp.Base = memory.Data;
        Classify(warp, op->Bytes);
        if (TWatching.On) Watch.Global(warp, op);
    }

    public static void Shared<TAddress, TWatching>(Warp warp, Op* op)
        where TAddress : unmanaged where TWatching : struct, ISwitch
    {
        var block = warp.Block;
        var bytes = block.Launch.SharedBytes;
        var outside = sizeof(TAddress) == 8 ? Offsets(warp, op, BlockRunner.FirstShared, bytes)
            : NarrowOffsets(warp, op, BlockRunner.FirstShared, bytes);
        if ((outside & warp.Mask) != 0) throw AccessFault.Outside(warp, op, outside & warp.Mask, StateSpace.Shared);
        warp.Base = block.Shared;
        Classify(warp, op->Bytes);
        if (TWatching.On) Watch.Shared(warp, op);
    }

    public static void Local<TAddress, TWatching>(Warp warp, Op* op)
        where TAddress : unmanaged where TWatching : struct, ISwitch
    {
        var bytes = warp.Block.LocalBytes;
        var outside = sizeof(TAddress) == 8 ? Offsets(warp, op, 0, bytes) : NarrowOffsets(warp, op, 0, bytes);
        if ((outside & warp.Mask) != 0) throw AccessFault.Outside(warp, op, outside & warp.Mask, StateSpace.Local);
        warp.Base = warp.Local;
        for (var lane = 0; lane < 32; lane++) warp.Offsets[lane] += (uint)(lane * bytes);
        warp.Pattern = AccessPattern.Scattered;
        if (TWatching.On) Watch.Local(warp, op);
    }

    /// <summary>Parameters, where the address is computed.</summary>
    public static void Parameter(Warp warp, Op* op)
    {
        var outside = Offsets(warp, op, 0, warp.Block.Launch.Parameters.Length);
        if ((outside & warp.Mask) != 0) throw AccessFault.Outside(warp, op, outside & warp.Mask, StateSpace.Parameter);
        warp.Base = warp.Block.Parameters;
        Classify(warp, op->Bytes);
    }

    /// <summary>Generic addresses: runs the part of the instruction that is meant for each space.</summary>
    public static void Generic(Warp warp, Op* op)
    {
        var addresses = (ulong*)(warp.Registers + op->A);
        var all = warp.Mask;
        uint shared = 0, local = 0;
        for (var rest = all; rest != 0;)
        {
            var lane = Lanes.TakeLowest(ref rest);
            var window = (addresses[lane] + (ulong)op->Immediate) & 0xFFFF_0000_0000_0000;
            if (window == SharedWindow) shared |= 1u << lane;
            if (window == LocalWindow) local |= 1u << lane;
        }
        RunPart(warp, op->Parts, all & ~shared & ~local);
        RunPart(warp, op->Parts + 1, shared);
        RunPart(warp, op->Parts + 2, local);
        warp.Mask = all;
    }

    private static void RunPart(Warp warp, Op* part, uint lanes)
    {
        if (lanes == 0) return;
        warp.Mask = lanes;
        part->Run(warp, part);
    }

    // Offsets of 64-bit addresses from the origin, and the lanes that leave the memory.
    private static uint Offsets(Warp warp, Op* op, ulong origin, long bytes)
    {
        if (bytes < op->Bytes) return ~0u;
        var addresses = (ulong*)(warp.Registers + op->A);
        var start = Vector512.Create(origin - (ulong)op->Immediate);
        var limit = Vector512.Create((ulong)(bytes - op->Bytes));
        var outside = 0u;
        for (var lane = 0; lane < 32; lane += 16)
        {
            var low = Vector512.Load(addresses + lane) - start;
            var high = Vector512.Load(addresses + lane + 8) - start;
            var beyond = Vector512.GreaterThan(low, limit).ExtractMostSignificantBits()
                | Vector512.GreaterThan(high, limit).ExtractMostSignificantBits() << 8;
            outside |= (uint)beyond << lane;
            Vector512.Narrow(low, high).Store(warp.Offsets + lane);
        }
        return outside;
    }

    private static uint NarrowOffsets(Warp warp, Op* op, uint origin, long bytes)
    {
        if (bytes < op->Bytes) return ~0u;
        var addresses = (uint*)(warp.Registers + op->A);
        var start = Vector512.Create(origin - (uint)op->Immediate);
        var limit = Vector512.Create((uint)(bytes - op->Bytes));
        var outside = 0u;
        for (var lane = 0; lane < 32; lane += 16)
        {
            var offsets = Vector512.Load(addresses + lane) - start;
            outside |= (uint)Vector512.GreaterThan(offsets, limit).ExtractMostSignificantBits() << lane;
            offsets.Store(warp.Offsets + lane);
        }
        return outside;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Classify(Warp warp, int bytes)
    {
        warp.Pattern = AccessPattern.Scattered;
        if (warp.Mask != ~0u) return;
        var first = Vector512.Create(warp.Offsets[0]);
        var step = Vector512.Create((uint)bytes);
        var low = Vector512.Load(warp.Offsets);
        var high = Vector512.Load(warp.Offsets + 16);
        var indices = Vector512<uint>.Indices;
        if (low == first + indices * step && high == first + (indices + Vector512.Create(16u)) * step)
            warp.Pattern = AccessPattern.Contiguous;
        else if (low == first && high == first)
            warp.Pattern = AccessPattern.Uniform;
    }
}
