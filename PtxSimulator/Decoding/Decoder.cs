using PtxSimulator.Counting;
using PtxSimulator.Execution;
using PtxSimulator.Instructions;
using PtxSimulator.Parsing;

namespace PtxSimulator.Decoding;

/// <summary>Decodes instructions one by one. What no rule covers to the last modifier is refused.</summary>
/// <param name="fragments">Takes up the registers that wgmma uses.</param>
internal sealed unsafe class Decoder(
    OperandBinder operands, OpArena arena, Dictionary<Register, int> fragments, bool watches)
{
    private readonly AsynchronousDecoder _asynchronous = new(operands, arena, fragments);

    public InstructionClass Class { get; private set; }

    public void Decode(Instruction instruction, Op* op)
    {
        operands.Start(instruction);
        if (instruction.Guard is { } guard)
            op->Guard = operands.ReadPredicate(guard, out op->GuardFlip);
        if (TryDecodeMove(instruction.Opcode, op)) return;
        if (FormTable.All.TryGet(instruction.Opcode, out var form))
        {
            op->Run = form.Run;
            (op->Immediate, Class) = (form.Immediate, form.Class);
            if (form.Operands.StartsWith('M')) BindMatrices(form.Operands, op);
            else Bind(form.Operands, op);
            return;
        }
        var modifiers = new Modifiers(instruction.Opcode);
        var isKnown = modifiers.Name switch
        {
            "mbarrier" or "wgmma" or "fence" or "setmaxnreg" => _asynchronous.TryDecode(modifiers, op),
            "cp" or "prefetch" when modifiers.Left.Contains("bulk") || modifiers.Left.Contains("tensormap") =>
                _asynchronous.TryDecode(modifiers, op),
            "ld" or "st" or "atom" or "red" or "cp" or "ldmatrix" or "prefetch" =>
                new MemoryDecoder(operands, arena, watches).TryDecode(modifiers, op),
            "setp" => TryDecodeComparison(modifiers, op),
            "cvt" => TryDecodeConversion(instruction.Opcode, modifiers, op),
            "bra" => TryDecodeBranch(modifiers, op),
            "bar" or "barrier" => TryDecodeBarrier(instruction.Opcode, modifiers, op),
            _ => false,
        };
        if (!isKnown || modifiers.Left.Count > 0)
            throw operands.Error($"instruction '{instruction.Opcode}' is not simulated");
        Class = ClassOf(modifiers.Name, op);
    }

    private static InstructionClass ClassOf(string name, Op* op) => name switch
    {
        "setp" => InstructionClass.Compare,
        "cvt" => InstructionClass.Conversion,
        "bra" => InstructionClass.Control,
        "bar" or "barrier" or "mbarrier" => InstructionClass.Barrier,
        "wgmma" => op->Places != null ? InstructionClass.Mma : InstructionClass.Warp,
        "fence" or "setmaxnreg" => InstructionClass.Control,
        "atom" or "red" => InstructionClass.Atomic,
        "cp" or "prefetch" => InstructionClass.AsynchronousCopy,
        _ => op->Space switch
        {
            StateSpace.Shared => InstructionClass.SharedMemory,
            StateSpace.Local => InstructionClass.LocalMemory,
            StateSpace.Constant or StateSpace.Parameter => InstructionClass.ConstantMemory,
            _ => InstructionClass.GlobalMemory,
        },
    };

    // Destination, then sources, as the letters of a form say.
    private void Bind(string letters, Op* op)
    {
        operands.ExpectCount(letters.Length, letters.Length);
        op->V[0] = -1;
        var source = 0;
        for (var i = 0; i < letters.Length; i++)
        {
            var operand = operands[i];
            if (char.IsUpper(letters[i]))
            {
                if (operand is PairOperand pair && HasPredicateBeside(operands.Instruction.Opcode))
                {
                    op->V[0] = operands.WritePredicate(pair.Second);
                    operand = pair.First;
                }
                op->D = letters[i] == 'P' ? operands.WritePredicate(operand)
                    : operands.Write(operand, Bytes(letters[i]));
                if (op->D < 0 && op->V[0] < 0) throw operands.Error("the destination may not be thrown away here");
                continue;
            }
            var flip = 0u;
            var place = letters[i] == 'p' ? operands.ReadPredicate(operand, out flip)
                : operands.Read(operand, Bytes(letters[i]));
            if (flip != 0 && letters.Count(letter => letter == 'p') > 1)
                throw operands.Error("'!' is not simulated here");
            op->Flip |= flip;
            switch (source++)
            {
                case 0: op->A = place; break;
                case 1: op->B = place; break;
                case 2: op->C = place; break;
                default: op->E = place; break;
            }
        }
    }

    private static bool HasPredicateBeside(string opcode) =>
        opcode.StartsWith("shfl", StringComparison.Ordinal) || opcode == "elect.sync";

    private static int Bytes(char letter) => char.ToLowerInvariant(letter) switch { 'h' => 2, 'w' => 4, _ => 8 };

    // mma d, a, b, c: the form says how many registers d, c, a and b have; they stand in V in that order.
    private void BindMatrices(string form, Op* op)
    {
        operands.ExpectCount(4, 4);
        var next = 0;
        foreach (var (operand, count) in new[] { (0, form[1]), (3, form[2]), (1, form[3]), (2, form[4]) })
        {
            var elements = OperandBinder.Elements(operands[operand]);
            if (elements.Count != count - '0') throw operands.Error($"operand {operand + 1} needs {count} registers");
            foreach (var element in elements)
            {
                op->V[next] = operand == 0 ? operands.Write(element, 4) : operands.Read(element, 4);
                if (op->V[next++] < 0) throw operands.Error("a fragment may not be thrown away");
            }
        }
        op->Count = next;
    }

    // mov between a register and a vector of smaller ones, and from the clock.
    private bool TryDecodeMove(string opcode, Op* op)
    {
        if (!opcode.StartsWith("mov.", StringComparison.Ordinal) || operands.Count != 2) return false;
        Class = InstructionClass.Move;
        var bytes = opcode.EndsWith("64", StringComparison.Ordinal) ? 8 : 4;
        if (operands[1] is SpecialOperand { Name: "%clock" or "%clock64" or "%globaltimer" } special)
        {
            if (special.Name == "%clock" != (bytes == 4)) throw operands.Error($"{special.Name} has another width");
            op->D = operands.Write(operands[0], bytes);
            op->Run = bytes == 8 ? &MoveForms.Clock<long> : &MoveForms.Clock<int>;
            return true;
        }
        var (target, source) = (operands[0] as VectorOperand, operands[1] as VectorOperand);
        if (target is null == source is null) return false;
        if (opcode is not ("mov.b32" or "mov.b64"))
            throw operands.Error("vectors are moved by mov.b32 and mov.b64 alone");
        var elements = (target ?? source)!.Elements;
        var part = bytes / elements.Count;
        op->Count = elements.Count;
        for (var i = 0; i < elements.Count; i++)
            op->V[i] = target is null ? operands.Read(elements[i], part) : operands.Write(elements[i], part);
        if (target is null) op->D = operands.Write(operands[0], bytes);
        else op->A = operands.Read(operands[1], bytes);
        op->Run = (part, bytes) switch
        {
            (2, 4) => target is null ? &MoveForms.Pack<ushort, uint> : &MoveForms.Unpack<ushort, uint>,
            (2, 8) => target is null ? &MoveForms.Pack<ushort, ulong> : &MoveForms.Unpack<ushort, ulong>,
            (4, 8) => target is null ? &MoveForms.Pack<uint, ulong> : &MoveForms.Unpack<uint, ulong>,
            _ => throw operands.Error("elements of this size are not simulated"),
        };
        return true;
    }

    private bool TryDecodeComparison(Modifiers modifiers, Op* op)
    {
        operands.ExpectCount(3, 4);
        var type = modifiers.TakeLast();
        var combination = modifiers.TakeOneOf("and", "or", "xor");
        var flushes = modifiers.Take("ftz");
        var comparison = modifiers.TakeLast();
        if (type is null || comparison is null || flushes && type != "f32") return false;
        op->Run = Comparisons.Find(comparison, type, flushes);
        if (op->Run == null) return false;
        if (operands.Count == 4 != combination is not null)
            throw operands.Error("a combination needs a fourth operand");
        var bytes = TypeNames.Bytes(type);
        op->D = operands.WritePredicate(operands[0]);
        (op->A, op->B) = (operands.Read(operands[1], bytes), operands.Read(operands[2], bytes));
        if (combination is null) return true;
        op->C = operands.ReadPredicate(operands[3], out op->Flip);
        op->Immediate = (long)(combination switch
        {
            "and" => Comparisons.Combination.And,
            "or" => Comparisons.Combination.Or,
            _ => Comparisons.Combination.Xor,
        });
        return true;
    }

    private bool TryDecodeConversion(string opcode, Modifiers modifiers, Op* op)
    {
        operands.ExpectCount(2, 2);
        var (source, target) = (modifiers.TakeLast(), modifiers.TakeLast());
        if (source is null || target is null) return false;
        op->Run = Conversions.Find(target, source);
        if (op->Run == null) return false;
        var rounding = modifiers.TakeOneOf("rn", "rz", "rm", "rp", "rni", "rzi", "rmi", "rpi");
        var (fromReal, toReal) = (source[0] == 'f', target[0] == 'f');
        var toInteger = rounding?.Length == 3;
        var narrows = fromReal && toReal && TypeNames.Bytes(target) < TypeNames.Bytes(source) || !fromReal && toReal;
        // A rounding stands exactly where the result may not be exact, or rounds a float to a whole number.
        var fits = narrows ? rounding is not null && !toInteger
            : fromReal && !toReal ? toInteger
            : rounding is null || toInteger && source == target;
        if (!fits) return false;
        var modes = ConversionModes.None;
        if (toInteger) modes |= ConversionModes.ToInteger;
        if (modifiers.Take("sat")) modes |= ConversionModes.Saturate;
        if ((source == "f32" || target == "f32") && modifiers.Take("ftz")) modes |= ConversionModes.Flush;
        if (target == "f16" && source == "f32" && modifiers.Take("relu")) modes |= ConversionModes.Relu;
        op->Immediate = (long)modes | (long)(rounding?[1] switch
        {
            'n' => RoundingMode.Nearest,
            'z' => RoundingMode.Zero,
            'm' => RoundingMode.Down,
            'p' => RoundingMode.Up,
            _ => RoundingMode.Exact,
        });
        op->E = RegisterBytes(operands[1], source, fromReal);
        op->Bytes = RegisterBytes(operands[0], target, toReal);
        (op->D, op->A) = (operands.Write(operands[0], op->Bytes), operands.Read(operands[1], op->E));
        if (op->E == TypeNames.Bytes(source) && op->Bytes == TypeNames.Bytes(target)
            && Conversions.FindFast(opcode) is var fast && fast != null)
            op->Run = fast;
        return true;
    }

    // Integers may lie in registers wider than themselves.
    private int RegisterBytes(Operand operand, string type, bool isReal)
    {
        var bytes = Math.Max(TypeNames.Bytes(type), 2);
        var width = OperandBinder.Width(operand, bytes);
        if (isReal ? width != bytes : width < bytes)
            throw operands.Error($"{InstructionText.Of(operand)} does not hold a {type}");
        return width;
    }

    private bool TryDecodeBranch(Modifiers modifiers, Op* op)
    {
        operands.ExpectCount(1, 1);
        op->Run = modifiers.Take("uni") ? &ControlForms.BranchUniform : &ControlForms.Branch;
        op->Immediate = operands.Target(operands[0]);
        return true;
    }

    private bool TryDecodeBarrier(string opcode, Modifiers modifiers, Op* op)
    {
        (BarrierReduction Reduction, int Results) form = opcode switch
        {
            "bar.sync" or "bar.cta.sync" or "barrier.sync.aligned" or "barrier.cta.sync.aligned" =>
                (BarrierReduction.None, 0),
            "bar.red.popc.u32" or "barrier.red.popc.aligned.u32" or "barrier.cta.red.popc.aligned.u32" =>
                (BarrierReduction.Count, 1),
            "bar.red.and.pred" or "barrier.red.and.aligned.pred" or "barrier.cta.red.and.aligned.pred" =>
                (BarrierReduction.All, 1),
            "bar.red.or.pred" or "barrier.red.or.aligned.pred" or "barrier.cta.red.or.aligned.pred" =>
                (BarrierReduction.Any, 1),
            _ => (BarrierReduction.None, -1),
        };
        if (form.Results < 0) return false;
        modifiers.TakeAll();
        var extra = 2 * form.Results;
        operands.ExpectCount(1 + extra, 2 + extra);
        op->Run = &ControlForms.Barrier;
        op->E = (int)form.Reduction;
        op->Immediate = operands.Integer(operands[form.Results]);
        if (operands.Count == 2 + extra) op->Count = operands.Integer(operands[form.Results + 1]);
        if (form.Results == 1)
        {
            op->D = form.Reduction == BarrierReduction.Count ? operands.Write(operands[0], 4)
                : operands.WritePredicate(operands[0]);
            op->A = operands.ReadPredicate(operands[operands.Count - 1], out op->Flip);
        }
        return true;
    }
}

internal static class TypeNames
{
    /// <summary>Bytes of a type as it ends an opcode: u8, s16, b32, f64.</summary>
    public static int Bytes(string type) => type[1..] switch { "8" => 1, "16" => 2, "32" => 4, "64" => 8, _ => 0 };
}
