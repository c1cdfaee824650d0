using PtxSimulator.Counting;
using PtxSimulator.Execution;
using PtxSimulator.Instructions;

namespace PtxSimulator.Decoding;

/// <summary>What an opcode with all its modifiers means.</summary>
/// <param name="operands">One letter for each operand: p, h, w, d for a source that is a predicate or takes 16, 32 or
/// 64 bits, the capital for a destination.</param>
internal readonly unsafe struct Form(
    delegate*<Warp, Op*, void> run, string operands, InstructionClass kind, long immediate)
{
    public readonly delegate*<Warp, Op*, void> Run = run;
    public readonly string Operands = operands;
    public readonly InstructionClass Class = kind;
    public readonly long Immediate = immediate;
}

/// <summary>All instructions whose opcode says everything. An opcode that is not here, and not a load, a store or the
/// like, is refused.</summary>
internal sealed unsafe class FormTable
{
    private readonly Dictionary<string, Form> _forms = [];

    public static FormTable All { get; } = new();

    private FormTable()
    {
        IntegerForms.Add(this);
        LogicForms.Add(this);
        SingleForms.Add(this);
        DoubleForms.Add(this);
        HalfForms.Add(this);
        PackedConversions.Add(this);
        MatrixForms.Add(this);
        MoveForms.Add(this);
        WarpForms.Add(this);
        WarpgroupForms.Add(this);
        ControlForms.Add(this);
    }

    public bool TryGet(string opcode, out Form form) => _forms.TryGetValue(opcode, out form);

    public void Add(
        string opcode, delegate*<Warp, Op*, void> run, string operands, InstructionClass kind, long immediate = 0) =>
        _forms.Add(opcode, new Form(run, operands, kind, immediate));
}
