using PtxSimulator.Execution;
using PtxSimulator.Parsing;

namespace PtxSimulator.Decoding;

/// <summary>Turns the operands of an instruction into places of the register file, and remembers what it reads and
/// writes.
/// </summary>
internal sealed class OperandBinder(
    KernelSyntax kernel, RegisterFile file, Func<Variable, ulong> addressOf, string module)
{
    private static readonly HashSet<string> Specials =
    [
        "%tid.x", "%tid.y", "%tid.z", "%ntid.x", "%ntid.y", "%ntid.z", "%ctaid.x", "%ctaid.y", "%ctaid.z",
        "%nctaid.x", "%nctaid.y", "%nctaid.z", "%laneid", "%warpid", "%nwarpid",
        "%lanemask_eq", "%lanemask_lt", "%lanemask_le", "%lanemask_gt", "%lanemask_ge",
    ];

    public Instruction Instruction { get; private set; } = null!;

    public List<Register> Reads { get; } = [];

    public List<Register> Writes { get; } = [];

    public KernelSyntax Kernel => kernel;

    public int Count => Instruction.Operands.Count;

    public void Start(Instruction instruction)
    {
        Instruction = instruction;
        Reads.Clear();
        Writes.Clear();
        if (instruction.Guard is { } guard) Reads.Add(guard.Register);
    }

    public PtxFormatException Error(string what) => new(module, Instruction.Line, $"{what}: {Instruction.Text}");

    public void ExpectCount(int least, int most)
    {
        if (Count < least || Count > most)
            throw Error($"{Count} operands where {(least == most ? $"{least}" : $"{least} to {most}")} belong");
    }

    public Operand this[int index] => Instruction.Operands[index];

    /// <summary>A source of 2, 4 or 8 bytes: a register as wide, a constant, a special register or an
    /// address.</summary>
    public int Read(Operand operand, int bytes)
    {
        switch (operand)
        {
            case RegisterOperand { Negated: false } register when Fits(register.Register, bytes):
                Reads.Add(register.Register);
                return file.Of(register.Register);
            case ImmediateOperand immediate when immediate.Bytes == 0 || immediate.Bytes == bytes:
                return file.Constant(immediate.Bits, bytes);
            case VariableOperand variable when bytes >= 4:
                return file.Constant(AddressOf(variable.Variable), bytes);
            case SpecialOperand special when bytes == 4 && Specials.Contains(special.Name):
                return file.Special(special.Name, bytes);
            default:
                throw Error($"{InstructionText.Of(operand)} cannot be read as {bytes * 8} bits");
        }
    }

    /// <summary>A destination; -1 where it is thrown away.</summary>
    public int Write(Operand operand, int bytes)
    {
        if (operand is DiscardOperand) return -1;
        if (operand is not RegisterOperand { Negated: false } register || !Fits(register.Register, bytes))
            throw Error($"{InstructionText.Of(operand)} cannot take {bytes * 8} bits");
        Writes.Add(register.Register);
        return file.Of(register.Register);
    }

    public int ReadPredicate(Operand operand, out uint flip)
    {
        flip = 0;
        if (operand is ImmediateOperand { Bytes: 0 } constant) return file.Constant(constant.Bits != 0 ? ~0u : 0, 4);
        if (operand is not RegisterOperand { Register.IsPredicate: true } register)
            throw Error($"{InstructionText.Of(operand)} is no predicate");
        flip = register.Negated ? ~0u : 0;
        Reads.Add(register.Register);
        return file.Of(register.Register);
    }

    public int WritePredicate(Operand operand)
    {
        if (operand is DiscardOperand) return -1;
        if (operand is not RegisterOperand { Register.IsPredicate: true, Negated: false } register)
            throw Error($"{InstructionText.Of(operand)} is no predicate");
        Writes.Add(register.Register);
        return file.Of(register.Register);
    }

    /// <summary>Bytes of the register of an operand; of anything else what is given.</summary>
    public static int Width(Operand operand, int otherwise) =>
        operand is RegisterOperand register ? Math.Max(register.Register.Bytes, 2) : otherwise;

    public int Integer(Operand operand) => operand is ImmediateOperand { Bytes: 0 } immediate
        ? checked((int)unchecked((long)immediate.Bits))
        : throw Error($"{InstructionText.Of(operand)} is no integer constant");

    /// <summary>The elements of a vector, or the operand alone.</summary>
    public static IReadOnlyList<Operand> Elements(Operand operand) =>
        operand is VectorOperand vector ? vector.Elements : [operand];

    public int Target(Operand operand)
    {
        if (operand is not LabelOperand label) throw Error($"{InstructionText.Of(operand)} is no label");
        return label.Scope.FindLabel(label.Name) ?? throw Error($"label '{label.Name}' stands nowhere");
    }

    public ulong AddressOf(Variable variable) => variable.Space switch
    {
        StateSpace.Shared => BlockRunner.FirstShared + (ulong)kernel.SharedOffsets[variable],
        StateSpace.Global or StateSpace.Constant => addressOf(variable),
        _ => (ulong)variable.Offset,
    };

    private static bool Fits(Register register, int bytes) =>
        !register.IsPredicate && (register.Bytes == bytes || register.Bytes == 1 && bytes == 2);
}
