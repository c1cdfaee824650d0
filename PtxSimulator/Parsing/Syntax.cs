namespace PtxSimulator.Parsing;

internal enum StateSpace { Generic, Global, Shared, Local, Constant, Parameter }

/// <summary>A virtual register. <see cref="Bytes"/> is 0 for a predicate, else what its declared type takes.</summary>
internal sealed record Register(string Name, int Bytes)
{
    public bool IsPredicate => Bytes == 0;

    /// <summary>Place among the kernel's registers, for sets of bits.</summary>
    public required int Index { get; init; }
}

/// <summary>A named piece of memory. <see cref="Offset"/> is the place of a parameter or local variable.</summary>
internal sealed class Variable(string name, StateSpace space, int alignment, int bytes)
{
    public string Name => name;
    public StateSpace Space => space;
    public int Alignment => alignment;

    /// <summary>0 for dynamic shared memory.</summary>
    public int Bytes => bytes;

    public int Offset { get; set; }

    public byte[]? Initial { get; init; }
}

internal abstract record Operand;

internal sealed record RegisterOperand(Register Register, bool Negated = false) : Operand;

/// <summary>A constant; <see cref="Bytes"/> is 4 or 8 for a number with a point, 0 for an integer of any
/// width.</summary>
internal sealed record ImmediateOperand(ulong Bits, int Bytes) : Operand;

internal sealed record SpecialOperand(string Name) : Operand;

internal sealed record VariableOperand(Variable Variable) : Operand;

/// <summary><see cref="Base"/> is null where the address is a number; a place in a tensor has coordinates.</summary>
internal sealed record AddressOperand(Operand? Base, long Offset) : Operand
{
    public VectorOperand? Coordinates { get; init; }
}

internal sealed record VectorOperand(IReadOnlyList<Operand> Elements) : Operand;

/// <summary>A destination with a predicate beside it: <c>%r1|%p1</c>.</summary>
internal sealed record PairOperand(Operand First, Operand Second) : Operand;

/// <summary>A destination that is thrown away: <c>_</c>.</summary>
internal sealed record DiscardOperand : Operand;

internal sealed record LabelOperand(string Name, Scope Scope) : Operand;

internal readonly record struct SourceLine(int File, int Line);

internal sealed record Instruction(string Opcode, IReadOnlyList<Operand> Operands, int Line)
{
    public RegisterOperand? Guard { get; init; }

    public SourceLine Source { get; init; }

    public required string Text { get; init; }
}

/// <summary>A parsed entry, before its instructions are decoded.</summary>
internal sealed class KernelSyntax
{
    public required string Name { get; init; }
    public required IReadOnlyList<Variable> Parameters { get; init; }
    public required IReadOnlyList<Instruction> Instructions { get; init; }
    public required int RegisterCount { get; init; }

    /// <summary>Static shared memory in bytes; dynamic shared memory starts at this offset, aligned.</summary>
    public required int SharedBytes { get; init; }

    /// <summary>Where each variable of shared memory that the kernel names starts.</summary>
    public required IReadOnlyDictionary<Variable, int> SharedOffsets { get; init; }

    public required int LocalBytes { get; init; }
    public required int MaxThreads { get; init; }
}

/// <summary>A parsed module.</summary>
internal sealed class ModuleSyntax
{
    public int Target { get; set; }
    public Dictionary<string, Variable> Variables { get; } = [];
    public List<KernelSyntax> Kernels { get; } = [];
    public Dictionary<int, string> Files { get; } = [];
}
