using System.Text;

namespace PtxSimulator.Parsing;

/// <summary>Parses an entry: parameters, bounds, and the statements of its body.</summary>
internal sealed class KernelParser(TokenStream tokens, Scope moduleScope)
{
    private readonly List<Instruction> _instructions = [];
    private readonly Dictionary<Variable, int> _shared = [];
    private Scope _scope = new(moduleScope);
    private SourceLine _source;
    private int _registers;
    private int _sharedBytes;
    private int _localBytes;
    private int _maxThreads = 1024;

    public KernelSyntax Parse()
    {
        var name = tokens.Word();
        var parameters = new List<Variable>();
        if (tokens.Skip("(") && !tokens.Skip(")"))
        {
            do
                parameters.Add(ParseParameter(parameters));
            while (tokens.Skip(","));
            tokens.Expect(")");
        }
        foreach (var parameter in parameters) _scope.Declare(parameter);
        while (!tokens.Skip("{")) ParseBound();
        ParseBody();
        // Dynamic shared memory follows the static, at its own alignment.
        foreach (var variable in _shared.Keys)
            if (variable.Bytes == 0) _shared[variable] = Align(_sharedBytes, variable.Alignment);
        return new KernelSyntax
        {
            Name = name,
            Parameters = parameters,
            Instructions = _instructions,
            RegisterCount = _registers,
            SharedBytes = _sharedBytes,
            SharedOffsets = _shared,
            LocalBytes = _localBytes,
            MaxThreads = _maxThreads,
        };
    }

    private Variable ParseParameter(List<Variable> before)
    {
        tokens.Expect(".param");
        var alignment = tokens.Skip(".align") ? tokens.Integer() : 0;
        var bytes = ModuleParser.TypeBytes(tokens);
        if (alignment == 0) alignment = bytes;
        if (tokens.Skip(".ptr"))
        {
            if (!tokens.At(".align")) tokens.Word();  // the space it points to
            if (tokens.Skip(".align")) tokens.Integer();
        }
        var name = tokens.Word();
        if (tokens.Skip("["))
        {
            bytes *= tokens.Integer();
            tokens.Expect("]");
        }
        var end = before.Count == 0 ? 0 : before[^1].Offset + before[^1].Bytes;
        return new Variable(name, StateSpace.Parameter, alignment, bytes) { Offset = Align(end, alignment) };
    }

    private void ParseBound()
    {
        var word = tokens.Word();
        var product = 1;
        do
            product *= tokens.Integer();
        while (tokens.Skip(","));
        switch (word)
        {
            case ".maxntid" or ".reqntid": _maxThreads = product; break;
            case ".minnctapersm" or ".maxnreg": break;  // advice for ptxas alone
            default: throw tokens.Error($"unknown directive '{word}' of an entry.");
        }
    }

    private void ParseBody()
    {
        var depth = 1;
        while (depth > 0)
        {
            if (tokens.Skip("{"))
            {
                _scope = new Scope(_scope);
                depth++;
            }
            else if (tokens.Skip("}"))
            {
                _scope = _scope.Outer!;
                depth--;
            }
            else if (!tokens.Skip(";"))
                ParseStatement();
        }
    }

    private void ParseStatement()
    {
        if (tokens.Peek.Kind == TokenKind.Word && tokens.PeekAfter is { Kind: TokenKind.Symbol, Text: ":" })
        {
            var label = tokens.Word();
            tokens.Expect(":");
            if (!_scope.TryDeclareLabel(label, _instructions.Count))
                throw tokens.Error($"label '{label}' stands twice.");
            return;
        }
        switch (tokens.Peek.Text)
        {
            case ".reg": ParseRegisters(); break;
            case ".local" or ".shared" or ".global" or ".const": ParseVariables(); break;
            case ".loc": ParseLocation(); break;
            case ".pragma":  // "nounroll", "used_bytes_mask": advice
                while (!tokens.Skip(";")) tokens.Next();
                break;
            default: ParseInstruction(); break;
        }
    }

    private void ParseRegisters()
    {
        tokens.Next();
        var bytes = ModuleParser.TypeBytes(tokens);
        do
        {
            var name = tokens.Word();
            if (tokens.Skip("<"))
            {
                _scope.DeclareRange(name, tokens.Integer(), bytes);
                tokens.Expect(">");
            }
            else
                _scope.DeclareRegister(new Register(name, bytes) { Index = _registers++ });
        }
        while (tokens.Skip(","));
        tokens.Expect(";");
    }

    private void ParseVariables()
    {
        var space = ModuleParser.VariableSpace(tokens.Word());
        if (space is StateSpace.Global or StateSpace.Constant)
            throw tokens.Error("variables of global or constant memory stand outside of entries.");
        foreach (var variable in ModuleParser.ParseVariables(tokens, space))
        {
            _scope.Declare(variable);
            if (space == StateSpace.Local) variable.Offset = Place(variable, ref _localBytes);
        }
    }

    private static int Place(Variable variable, ref int bytes)
    {
        var offset = Align(bytes, variable.Alignment);
        bytes = offset + variable.Bytes;
        return offset;
    }

    // .loc file line column [, function_name label [+ offset], inlined_at file line column]
    private void ParseLocation()
    {
        tokens.Next();
        var (file, line) = (tokens.Integer(), tokens.Integer());
        tokens.Integer();
        if (line > 0) _source = new(file, line);
        if (!tokens.Skip(",")) return;
        tokens.Expect("function_name");
        tokens.Word();
        if (tokens.Skip("+")) tokens.Integer();
        tokens.Expect(",");
        tokens.Expect("inlined_at");
        for (var i = 0; i < 3; i++) tokens.Integer();
    }

    private void ParseInstruction()
    {
        var line = tokens.Line;
        RegisterOperand? guard = null;
        if (tokens.Skip("@"))
        {
            var negated = tokens.Skip("!");
            guard = new(FindRegister(tokens.Word()), negated);
            if (!guard.Register.IsPredicate) throw tokens.Error($"{guard.Register.Name} guards but is no predicate.");
        }
        var opcode = tokens.Word();
        var operands = new List<Operand>();
        if (!tokens.At(";"))
            do
                operands.Add(ParseOperand());
            while (tokens.Skip(","));
        tokens.Expect(";");
        _instructions.Add(new Instruction(opcode, operands, line)
        {
            Guard = guard,
            Source = _source,
            Text = InstructionText.Of(guard, opcode, operands),
        });
    }

    private Register FindRegister(string name) =>
        _scope.FindRegister(name, ref _registers) ?? throw tokens.Error($"register '{name}' is not declared.");

    private Operand ParseOperand()
    {
        if (tokens.Skip("[")) return ParseAddress();
        if (tokens.Skip("{")) return ParseVector();
        if (tokens.Skip("!")) return new RegisterOperand(FindRegister(tokens.Word()), Negated: true);
        if (tokens.Peek.Kind == TokenKind.Number || tokens.At("-")) return tokens.Constant();
        var operand = ParseName();
        return tokens.Skip("|") ? new PairOperand(operand, ParseName()) : operand;
    }

    private VectorOperand ParseVector()
    {
        var elements = new List<Operand>();
        do
            elements.Add(ParseOperand());
        while (tokens.Skip(","));
        tokens.Expect("}");
        return new VectorOperand(elements);
    }

    private AddressOperand ParseAddress()
    {
        var address = tokens.Peek.Kind == TokenKind.Number || tokens.At("-") ? null : ParseName();
        long offset = 0;
        if (address is null) offset = (long)tokens.Constant().Bits;
        else if (tokens.Skip("+")) offset = (long)tokens.Constant().Bits;
        else if (tokens.At("-")) offset = (long)tokens.Constant().Bits;
        VectorOperand? coordinates = null;
        if (tokens.Skip(","))
        {
            tokens.Expect("{");
            coordinates = ParseVector();
        }
        tokens.Expect("]");
        return new AddressOperand(address, offset) { Coordinates = coordinates };
    }

    private Operand ParseName()
    {
        var name = tokens.Word();
        if (name == "_") return new DiscardOperand();
        if (_scope.FindRegister(name, ref _registers) is { } register) return new RegisterOperand(register);
        if (_scope.FindVariable(name) is { } variable)
        {
            if (variable.Space == StateSpace.Shared && _shared.TryAdd(variable, 0) && variable.Bytes > 0)
                _shared[variable] = Place(variable, ref _sharedBytes);
            return new VariableOperand(variable);
        }
        if (name.StartsWith('%')) return new SpecialOperand(name);
        return new LabelOperand(name, _scope);
    }

    private static int Align(int offset, int alignment) => (offset + alignment - 1) / alignment * alignment;
}

/// <summary>Writes an instruction as it stood, with single blanks.</summary>
internal static class InstructionText
{
    public static string Of(RegisterOperand? guard, string opcode, IReadOnlyList<Operand> operands)
    {
        var text = new StringBuilder();
        if (guard is not null) text.Append('@').Append(Of(guard)).Append(' ');
        text.Append(opcode);
        if (operands.Count > 0) text.Append(' ').AppendJoin(", ", operands.Select(Of));
        return text.Append(';').ToString();
    }

    public static string Of(Operand operand) => operand switch
    {
        RegisterOperand register => (register.Negated ? "!" : "") + register.Register.Name,
        ImmediateOperand { Bytes: 4 } single => $"0f{single.Bits:X8}",
        ImmediateOperand { Bytes: 8 } real => $"0d{real.Bits:X16}",
        ImmediateOperand integer => ((long)integer.Bits).ToString(System.Globalization.CultureInfo.InvariantCulture),
        SpecialOperand special => special.Name,
        VariableOperand variable => variable.Variable.Name,
        LabelOperand label => label.Name,
        AddressOperand { Coordinates: { } coordinates } address =>
            $"[{Of(address with { Coordinates = null }).Trim('[', ']')}, {Of(coordinates)}]",
        AddressOperand { Base: null } address => $"[{address.Offset}]",
        AddressOperand address =>
            address.Offset == 0 ? $"[{Of(address.Base)}]" : $"[{Of(address.Base)}{address.Offset:+0;-0}]",
        VectorOperand vector => $"{{{string.Join(", ", vector.Elements.Select(Of))}}}",
        PairOperand pair => $"{Of(pair.First)}|{Of(pair.Second)}",
        _ => "_",
    };
}
