using PtxSimulator.Execution;
using PtxSimulator.Instructions;
using PtxSimulator.Memory;
using PtxSimulator.Parsing;

namespace PtxSimulator.Decoding;

/// <summary>Decodes what works beside the threads, and what they wait for it with: mbarrier, cp.async.bulk, wgmma, the
/// fences of the asynchronous proxy.</summary>
/// <param name="fragments">The registers that wgmma uses, each with a number.</param>
internal sealed unsafe class AsynchronousDecoder(
    OperandBinder operands, OpArena arena, Dictionary<Register, int> fragments)
{
    public bool TryDecode(Modifiers modifiers, Op* op) => modifiers.Name switch
    {
        "mbarrier" => TryDecodeBarrier(modifiers, op),
        "cp" => TryDecodeCopy(modifiers, op),
        "fence" => TryDecodeFence(modifiers, op),
        "prefetch" => TryDecodePrefetch(modifiers, op),
        "wgmma" => modifiers.Take("wait_group") ? TryDecodeWait(modifiers, op) : TryDecodeProduct(modifiers, op),
        "setmaxnreg" => TryDecodeRegisters(modifiers, op),
        _ => false,
    };

    private bool TryDecodeBarrier(Modifiers modifiers, Op* op)
    {
        if (modifiers.TakeLast() != "b64" || modifiers.TakeOneOf("shared::cta", "shared") is null) return false;
        op->D = -1;
        op->C = operands.Read(new ImmediateOperand(0, 0), 4);
        switch (modifiers.TakeOneOf("init", "inval", "arrive", "expect_tx", "test_wait", "try_wait"))
        {
            case "init":
                operands.ExpectCount(2, 2);
                op->Run = &BarrierForms.Initialize;
                op->B = operands.Read(operands[1], 4);
                return BindShared(operands[0], 8, op);
            case "inval":
                operands.ExpectCount(1, 1);
                op->Run = &BarrierForms.Invalidate;
                return BindShared(operands[0], 8, op);
            case "arrive":
                var announces = modifiers.Take("expect_tx");
                TakeOrder(modifiers, "release");
                operands.ExpectCount(announces ? 3 : 2, 3);
                op->Run = &BarrierForms.Arrive;
                op->D = operands.Write(operands[0], 8);
                op->B = operands.Read(announces || operands.Count == 2 ? new ImmediateOperand(1, 0) : operands[2], 4);
                if (announces) op->C = operands.Read(operands[2], 4);
                return BindShared(operands[1], 8, op);
            case "expect_tx":
                TakeOrder(modifiers, "relaxed");
                operands.ExpectCount(2, 2);
                op->Run = &BarrierForms.Announce;
                op->B = operands.Read(operands[1], 4);
                return BindShared(operands[0], 8, op);
            case "test_wait" or "try_wait":
                // A time to wait at most comes last; here a warp waits until something has changed.
                var isParity = modifiers.Take("parity");
                TakeOrder(modifiers, "acquire");
                operands.ExpectCount(3, 4);
                op->Run = isParity ? &BarrierForms.Test<On> : &BarrierForms.Test<Off>;
                op->D = operands.WritePredicate(operands[0]);
                op->B = operands.Read(operands[2], isParity ? 4 : 8);
                if (operands.Count == 4) operands.Read(operands[3], 4);
                if (op->D < 0) throw operands.Error("the destination may not be thrown away here");
                return BindShared(operands[1], 8, op);
            default:
                return false;
        }
    }

    // cp.async.bulk[.tensor.2d].shared::cluster.global..., or .global.shared::cta...
    private bool TryDecodeCopy(Modifiers modifiers, Op* op)
    {
        if (!modifiers.Take("async") || !modifiers.Take("bulk")) return false;
        if (modifiers.Take("commit_group"))
        {
            operands.ExpectCount(0, 0);
            op->Run = &BulkForms.Commit;
            return true;
        }
        if (modifiers.Take("wait_group"))
        {
            modifiers.Take("read");
            operands.ExpectCount(1, 1);
            op->Run = &BulkForms.Wait;
            op->Immediate = operands.Integer(operands[0]);
            return true;
        }
        var dimensions = 0;
        if (modifiers.Take("tensor"))
        {
            dimensions = modifiers.TakeOneOf("1d", "2d", "3d", "4d", "5d") is { } rank ? rank[0] - '0' : -1;
            modifiers.Take("tile");
        }
        if (dimensions < 0 || modifiers.Left.Count < 3) return false;
        var loads = modifiers.Left[0] == "shared::cluster" && modifiers.Left[1] == "global";
        if (!loads && !(modifiers.Left[0] == "global" && modifiers.Left[1] == "shared::cta")) return false;
        modifiers.TakeOneOf("shared::cluster", "shared::cta");
        modifiers.Take("global");
        if (!modifiers.Take(loads ? "mbarrier::complete_tx::bytes" : "bulk_group")) return false;
        // Advice for caches changes no result; its policy is the last operand.
        var given = operands.Count - (modifiers.Take("L2::cache_hint") ? 1 : 0);
        var wanted = (dimensions > 0 ? 2 : 3) + (loads ? 1 : 0);
        if (given != wanted) throw operands.Error($"{given} operands; {wanted} belong there");
        if (given < operands.Count) operands.Read(operands[given], 8);

        op->Parts = arena.Take(2);
        op->Space = StateSpace.Shared;
        op->Access = loads ? Access.Copy : Access.Write;
        for (var i = 0; i < 2; i++) (op->Parts[i].Index, op->Parts[i].Access) = (op->Index, Access.Read);
        if (!BindShared(operands[loads ? 0 : 1], 1, op->Parts)) return false;
        if (loads && !BindShared(operands[given - 1], 8, op->Parts + 1)) return false;
        if (operands[loads ? 1 : 0] is not AddressOperand { Base: { } source } address)
            throw operands.Error("an address of global memory, or of a tensor map, belongs there");
        op->A = operands.Read(source, 8);
        op->Immediate = address.Offset;
        if (dimensions == 0)
        {
            if (address.Coordinates is not null) throw operands.Error("coordinates without a tensor");
            op->B = operands.Read(operands[2], 4);
            op->Run = loads ? &BulkForms.LoadBytes : &BulkForms.StoreBytes;
            return true;
        }
        if (address.Coordinates?.Elements.Count != dimensions)
            throw operands.Error($"{dimensions} coordinates belong there");
        for (var i = 0; i < dimensions; i++) op->V[i] = operands.Read(address.Coordinates.Elements[i], 4);
        op->Count = dimensions;
        op->Run = loads ? &BulkForms.LoadBox : &BulkForms.StoreBox;
        return true;
    }

    private bool TryDecodeFence(Modifiers modifiers, Op* op)
    {
        operands.ExpectCount(0, 0);
        if (modifiers.Take("mbarrier_init"))
        {
            op->Run = &BarrierForms.FenceBarriers;
            return modifiers.Take("release") && modifiers.Take("cluster");
        }
        op->Run = &BarrierForms.FenceProxy;
        if (!modifiers.Take("proxy") || !modifiers.Take("async")) return false;
        modifiers.TakeOneOf("shared::cta", "shared::cluster");
        return true;
    }

    private bool TryDecodePrefetch(Modifiers modifiers, Op* op)
    {
        operands.ExpectCount(1, 1);
        if (!modifiers.Take("tensormap") || operands[0] is not AddressOperand { Base: { } source } address)
            return false;
        op->A = operands.Read(source, 8);
        op->Immediate = address.Offset;
        op->Run = &BulkForms.PrefetchMap;
        return true;
    }

    private bool TryDecodeWait(Modifiers modifiers, Op* op)
    {
        operands.ExpectCount(1, 1);
        op->Run = &WarpgroupForms.Wait;
        op->Immediate = operands.Integer(operands[0]);
        return modifiers.Take("sync") && modifiers.Take("aligned");
    }

    // wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 d, a, b, whether to add, signs of a and b [, transposed]...
    private bool TryDecodeProduct(Modifiers modifiers, Op* op)
    {
        if (!modifiers.Take("mma_async") || !modifiers.Take("sync") || !modifiers.Take("aligned")
            || modifiers.Left is not [var shape, "f32", "f16", "f16"]
            || !shape.StartsWith("m64n", StringComparison.Ordinal) || !shape.EndsWith("k16", StringComparison.Ordinal)
            || !int.TryParse(shape.AsSpan(4, shape.Length - 7), out var columns)
            || columns is < 8 or > 256 || columns % 8 != 0)
            return false;
        modifiers.TakeAll();
        var isShared = operands[1] is not VectorOperand;
        operands.ExpectCount(isShared ? 8 : 7, isShared ? 8 : 7);
        var (results, sources) =
            (OperandBinder.Elements(operands[0]), isShared ? [] : OperandBinder.Elements(operands[1]));
        if (results.Count != columns / 2 || !isShared && sources.Count != 4)
            throw operands.Error($"{columns / 2} accumulators and 4 registers of a belong there");
        int[] places =
        [
            .. results.Select(result => operands.Write(result, 4)),
            .. sources.Select(source => operands.Read(source, 4)),
        ];
        int[] numbers = [.. results.Concat(sources).Select(NumberOf)];
        (op->Count, op->Bytes) = (places.Length, results.Count);
        op->Places = arena.TakeNumbers([.. places, .. numbers]);
        if (isShared) op->A = operands.Read(operands[1], 8);
        op->B = operands.Read(operands[2], 8);
        op->C = operands.ReadPredicate(operands[3], out op->Flip);
        var (signA, signB) = (operands.Integer(operands[4]), operands.Integer(operands[5]));
        if (Math.Abs(signA) != 1 || Math.Abs(signB) != 1) throw operands.Error("signs are 1 or -1");
        op->Immediate = signA * signB;
        for (var i = 6; i < operands.Count; i++)
            if (operands.Integer(operands[i]) != 0) throw operands.Error("transposed matrices are not simulated");
        op->Run = isShared ? &WarpgroupForms.Multiply<On> : &WarpgroupForms.Multiply<Off>;
        return true;
    }

    private int NumberOf(Operand operand)
    {
        if (operand is not RegisterOperand { Register: var register }) throw operands.Error("a fragment is a register");
        if (!fragments.TryGetValue(register, out var number)) fragments[register] = number = fragments.Count;
        return number;
    }

    // What ptxas makes of it shows on a GPU alone.
    private bool TryDecodeRegisters(Modifiers modifiers, Op* op)
    {
        operands.ExpectCount(1, 1);
        op->Run = &ControlForms.Nothing;
        var count = operands.Integer(operands[0]);
        if (count is < 24 or > 256 || count % 8 != 0) throw operands.Error("24 to 256 registers, in steps of 8");
        return modifiers.TakeOneOf("inc", "dec") is not null && modifiers.Take("sync") && modifiers.Take("aligned")
            && modifiers.Take("u32");
    }

    // The order that is the default anyway; others are not simulated.
    private static void TakeOrder(Modifiers modifiers, string order)
    {
        modifiers.Take(order);
        modifiers.TakeOneOf("cta", "cluster");
    }

    // Places in shared memory; the instruction itself checks what it does there.
    private bool BindShared(Operand operand, int bytes, Op* op)
    {
        if (operand is not AddressOperand { Coordinates: null } address)
            throw operands.Error($"{InstructionText.Of(operand)} is no address of shared memory");
        (op->Space, op->Bytes, op->Immediate) = (StateSpace.Shared, bytes, address.Offset);
        op->AddressBytes = OperandBinder.Width(address.Base ?? operand, 8);
        op->A = operands.Read(address.Base ?? new ImmediateOperand(0, 0), op->AddressBytes);
        op->Resolve = op->AddressBytes == 4 ? &Addressing.Shared<uint, Off> : &Addressing.Shared<ulong, Off>;
        return true;
    }
}
