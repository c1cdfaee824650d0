using System.Numerics;
using PtxSimulator.Execution;
using PtxSimulator.Instructions;
using PtxSimulator.Parsing;

namespace PtxSimulator.Decoding;

/// <summary>Decodes what accesses memory: ld, st, atom, red, cp.async, ldmatrix, prefetch.</summary>
internal sealed unsafe class MemoryDecoder(OperandBinder operands, OpArena arena, bool watches)
{
    // Advice for caches changes no result.
    private static readonly string[] CacheHints =
    [
        "ca", "cg", "cs", "lu", "cv", "wb", "wt", "L1::evict_normal", "L1::evict_unchanged", "L1::evict_first",
        "L1::evict_last", "L1::no_allocate", "L2::64B", "L2::128B", "L2::256B",
    ];

    public bool TryDecode(Modifiers modifiers, Op* op) => modifiers.Name switch
    {
        "ld" => TryDecodeLoad(modifiers, op),
        "st" => TryDecodeStore(modifiers, op),
        "atom" or "red" => TryDecodeAtomic(modifiers, op),
        "cp" => TryDecodeCopy(modifiers, op),
        "ldmatrix" => TryDecodeMatrixLoad(modifiers, op),
        "prefetch" => TryDecodePrefetch(modifiers, op),
        _ => false,
    };

    private bool TryDecodeLoad(Modifiers modifiers, Op* op)
    {
        operands.ExpectCount(2, 2);
        var type = modifiers.TakeLast();
        if (type is null) return false;
        var space = TakeQualifiers(modifiers);
        if (space == StateSpace.Global) modifiers.Take("nc");
        var elements = TakeElements(modifiers, operands[0]);
        var width = OperandBinder.Width(
            elements.FirstOrDefault(element => element is not DiscardOperand, operands[0]), 4);
        if (TypeNames.Bytes(type) > width || type[0] == 'f' && TypeNames.Bytes(type) != width)
            throw operands.Error($"the registers cannot take a {type}");
        for (var i = 0; i < elements.Count; i++) op->V[i] = operands.Write(elements[i], width);
        op->Count = elements.Count;
        op->Bytes = TypeNames.Bytes(type) * elements.Count;
        op->Access = Access.Read;
        if (space == StateSpace.Parameter && operands[1] is AddressOperand { Base: VariableOperand or null } constant)
        {
            op->Space = space;
            op->Immediate = constant.Offset
                + (constant.Base is VariableOperand variable ? variable.Variable.Offset : 0);
            var parameters = operands.Kernel.Parameters;
            var end = parameters.Count == 0 ? 0 : parameters[^1].Offset + parameters[^1].Bytes;
            if (op->Immediate < 0 || op->Immediate + op->Bytes > end)
            {
                throw operands.Error(
                    $"{op->Bytes} bytes from byte {op->Immediate} leave the parameters, which end at byte {end}");
            }

            op->Run = FindLoad(type, width, fromParameter: true);
            return op->Run != null;
        }
        op->Run = FindLoad(type, width, fromParameter: false);
        return op->Run != null && BindAddress(operands[1], space, op);
    }

    private bool TryDecodeStore(Modifiers modifiers, Op* op)
    {
        operands.ExpectCount(2, 2);
        var type = modifiers.TakeLast();
        if (type is null) return false;
        var space = TakeQualifiers(modifiers);
        var elements = TakeElements(modifiers, operands[1]);
        var (bytes, width) = (TypeNames.Bytes(type), Math.Max(TypeNames.Bytes(type), 2));
        foreach (var element in elements) width = Math.Max(width, OperandBinder.Width(element, width));
        for (var i = 0; i < elements.Count; i++) op->V[i] = operands.Read(elements[i], width);
        op->Count = elements.Count;
        op->Bytes = bytes * elements.Count;
        op->E = width == 8 ? 8 : 4;
        op->Access = Access.Write;
        op->Run = bytes switch
        {
            1 => &MemoryAccess.Store<byte>,
            2 => &MemoryAccess.Store<ushort>,
            4 => &MemoryAccess.Store<uint>,
            8 => &MemoryAccess.Store<ulong>,
            _ => null,
        };
        return op->Run != null && space is not (StateSpace.Constant or StateSpace.Parameter)
            && BindAddress(operands[0], space, op);
    }

    private bool TryDecodeAtomic(Modifiers modifiers, Op* op)
    {
        var hasResult = modifiers.Name == "atom";
        var type = modifiers.TakeLast();
        var operation = modifiers.TakeOneOf("add", "min", "max", "inc", "dec", "and", "or", "xor", "exch", "cas");
        var space = TakeQualifiers(modifiers);
        if (type is null || operation is null) return false;
        op->Run = Atomics.Find(operation, type, out var bytes);
        if (op->Run == null) return false;
        var first = hasResult ? 1 : 0;
        var sources = operation == "cas" ? 2 : 1;
        operands.ExpectCount(first + 1 + sources, first + 1 + sources);
        op->D = hasResult ? operands.Write(operands[0], bytes) : -1;
        op->B = operands.Read(operands[first + 1], bytes);
        if (sources == 2) op->C = operands.Read(operands[first + 2], bytes);
        op->Bytes = bytes;
        op->Access = Access.Atomic;
        return space is StateSpace.Generic or StateSpace.Global or StateSpace.Shared
            && BindAddress(operands[first], space, op);
    }

    // cp.async.ca.shared.global [to], [from], bytes [, bytes to read]; commit_group; wait_group n; wait_all
    private bool TryDecodeCopy(Modifiers modifiers, Op* op)
    {
        if (!modifiers.Take("async")) return false;
        op->Access = Access.Copy;
        if (modifiers.Take("commit_group"))
        {
            operands.ExpectCount(0, 0);
            op->Run = &AsynchronousCopies.Commit;
            return true;
        }
        if (modifiers.Take("wait_all"))
        {
            operands.ExpectCount(0, 0);
            op->Run = &AsynchronousCopies.WaitAll;
            return true;
        }
        if (modifiers.Take("wait_group"))
        {
            operands.ExpectCount(1, 1);
            op->Run = &AsynchronousCopies.Wait;
            op->Immediate = operands.Integer(operands[0]);
            return true;
        }
        var cache = modifiers.TakeOneOf("ca", "cg");
        if (cache is null || modifiers.TakeOneOf("shared", "shared::cta") is null || !modifiers.Take("global"))
            return false;
        modifiers.TakeOneOf("L2::64B", "L2::128B", "L2::256B");
        operands.ExpectCount(3, 4);
        op->Bytes = operands.Integer(operands[2]);
        if (op->Bytes != 16 && (cache == "cg" || op->Bytes is not (4 or 8)))
            throw operands.Error($"cp.async.{cache} of {op->Bytes} bytes");
        op->Run = &AsynchronousCopies.Copy;
        op->B = operands.Count == 4 ? operands.Read(operands[3], 4) : -1;
        op->Parts = arena.Take(2);
        for (var i = 0; i < 2; i++) (op->Parts[i].Index, op->Parts[i].Bytes) = (op->Index, op->Bytes);
        (op->Parts[0].Access, op->Parts[1].Access) = (Access.Copy, Access.Read);
        op->Space = StateSpace.Shared;
        return BindAddress(operands[0], StateSpace.Shared, op->Parts)
            && BindAddress(operands[1], StateSpace.Global, op->Parts + 1);
    }

    private bool TryDecodeMatrixLoad(Modifiers modifiers, Op* op)
    {
        operands.ExpectCount(2, 2);
        if (!modifiers.Take("sync") || !modifiers.Take("aligned") || !modifiers.Take("m8n8") || !modifiers.Take("b16")
            || modifiers.TakeOneOf("shared", "shared::cta") is null)
            return false;
        var elements = OperandBinder.Elements(operands[0]);
        if (modifiers.TakeOneOf("x1", "x2", "x4") is not { } count || elements.Count != count[1] - '0') return false;
        for (var i = 0; i < elements.Count; i++) op->V[i] = operands.Write(elements[i], 4);
        op->Run = modifiers.Take("trans") ? &MatrixForms.Load<On> : &MatrixForms.Load<Off>;
        (op->Count, op->Bytes, op->Access) = (elements.Count, 16, Access.Read);
        return BindAddress(operands[1], StateSpace.Shared, op);
    }

    private bool TryDecodePrefetch(Modifiers modifiers, Op* op)
    {
        operands.ExpectCount(1, 1);
        modifiers.Take("global");
        if (modifiers.TakeOneOf("L1", "L2") is null || operands[0] is not AddressOperand { Base: { } address })
            return false;
        operands.Read(address, 8);
        op->Run = &ControlForms.Nothing;
        return true;
    }

    // Space, and what orders or caches: one warp runs at a time on one memory, so an order is always kept.
    private static StateSpace TakeQualifiers(Modifiers modifiers)
    {
        modifiers.TakeOneOf("weak", "volatile", "relaxed", "acquire", "release", "acq_rel");
        modifiers.TakeOneOf("cta", "gpu", "sys");
        while (modifiers.TakeOneOf(CacheHints) is not null) { }
        return modifiers.TakeOneOf("global", "shared", "shared::cta", "local", "const", "param") switch
        {
            "global" => StateSpace.Global,
            "shared" or "shared::cta" => StateSpace.Shared,
            "local" => StateSpace.Local,
            "const" => StateSpace.Constant,
            "param" => StateSpace.Parameter,
            _ => StateSpace.Generic,
        };
    }

    private IReadOnlyList<Operand> TakeElements(Modifiers modifiers, Operand operand)
    {
        var count = modifiers.TakeOneOf("v2", "v4") is { } vector ? vector[1] - '0' : 1;
        var elements = OperandBinder.Elements(operand);
        if (elements.Count != count) throw operands.Error($"{elements.Count} registers where the opcode names {count}");
        return elements;
    }

    private bool BindAddress(Operand operand, StateSpace space, Op* op)
    {
        if (operand is not AddressOperand { Coordinates: null } address)
            throw operands.Error($"{InstructionText.Of(operand)} is no address");
        op->Space = space;
        op->Immediate = address.Offset;
        op->AddressBytes = space is StateSpace.Shared or StateSpace.Local
            ? OperandBinder.Width(address.Base ?? operand, 8) : 8;
        op->A = operands.Read(address.Base ?? new ImmediateOperand(0, 0), op->AddressBytes);
        op->Resolve = FindResolve(space, op->AddressBytes);
        if (space != StateSpace.Generic) return true;
        op->Parts = arena.Take(3);
        BindPart(op, 0, StateSpace.Global, 0);
        BindPart(op, 1, StateSpace.Shared, Addressing.SharedWindow);
        BindPart(op, 2, StateSpace.Local, Addressing.LocalWindow);
        op->Run = &Addressing.Generic;
        return true;
    }

    private void BindPart(Op* op, int index, StateSpace space, ulong window)
    {
        var part = op->Parts + index;
        *part = *op;
        part->Resolve = FindResolve(space, 8);
        part->Space = space;
        part->Immediate -= (long)window;
    }

    private delegate*<Warp, Op*, void> FindResolve(StateSpace space, int addressBytes) =>
        (space, addressBytes, watches) switch
        {
            (StateSpace.Shared, 4, true) => &Addressing.Shared<uint, On>,
            (StateSpace.Shared, 4, false) => &Addressing.Shared<uint, Off>,
            (StateSpace.Shared, 8, true) => &Addressing.Shared<ulong, On>,
            (StateSpace.Shared, 8, false) => &Addressing.Shared<ulong, Off>,
            (StateSpace.Local, 4, true) => &Addressing.Local<uint, On>,
            (StateSpace.Local, 4, false) => &Addressing.Local<uint, Off>,
            (StateSpace.Local, 8, true) => &Addressing.Local<ulong, On>,
            (StateSpace.Local, 8, false) => &Addressing.Local<ulong, Off>,
            (StateSpace.Global or StateSpace.Constant, _, true) => &Addressing.Global<On>,
            (StateSpace.Global or StateSpace.Constant, _, false) => &Addressing.Global<Off>,
            (StateSpace.Parameter, _, _) => &Addressing.Parameter,
            _ => null,
        };

    private static delegate*<Warp, Op*, void> FindLoad(string type, int width, bool fromParameter) => type switch
    {
        "u8" or "b8" => FindLoad<byte>(width, fromParameter),
        "s8" => FindLoad<sbyte>(width, fromParameter),
        "u16" or "b16" => FindLoad<ushort>(width, fromParameter),
        "s16" => FindLoad<short>(width, fromParameter),
        "u32" or "b32" or "f32" => FindLoad<uint>(width, fromParameter),
        "s32" => FindLoad<int>(width, fromParameter),
        "u64" or "b64" or "s64" or "f64" => FindLoad<ulong>(width, fromParameter),
        _ => null,
    };

    private static delegate*<Warp, Op*, void> FindLoad<T>(int width, bool fromParameter)
        where T : unmanaged, IBinaryInteger<T> =>
        (width, fromParameter) switch
        {
            (2, false) => &MemoryAccess.Load<T, ushort>,
            (4, false) => &MemoryAccess.Load<T, uint>,
            (8, false) => &MemoryAccess.Load<T, ulong>,
            (2, true) => &MemoryAccess.LoadParameter<T, ushort>,
            (4, true) => &MemoryAccess.LoadParameter<T, uint>,
            (8, true) => &MemoryAccess.LoadParameter<T, ulong>,
            _ => null,
        };
}
