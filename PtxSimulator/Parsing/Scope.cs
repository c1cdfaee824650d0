namespace PtxSimulator.Parsing;

/// <summary>What the braces of a body enclose: inline assembly declares the same names again and again.</summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, Register> _registers = [];
    private readonly Dictionary<string, (int Count, int Bytes)> _ranges = [];
    private readonly Dictionary<string, Variable> _variables = [];
    private readonly Dictionary<string, int> _labels = [];

    public Scope? Outer => outer;

    public void DeclareRegister(Register register) => _registers[register.Name] = register;

    /// <summary>Declares <c>name&lt;count&gt;</c>: name0 to name(count - 1).</summary>
    public void DeclareRange(string prefix, int count, int bytes) => _ranges[prefix] = (count, bytes);

    public void Declare(Variable variable) => _variables[variable.Name] = variable;

    public bool TryDeclareLabel(string name, int instruction) => _labels.TryAdd(name, instruction);

    public int? FindLabel(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope._labels.TryGetValue(name, out var instruction)) return instruction;
        return null;
    }

    public Variable? FindVariable(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope._variables.TryGetValue(name, out var variable)) return variable;
        return null;
    }

    /// <summary>Registers of a range come to exist when they are first named; <paramref name="count"/> counts them.
    /// </summary>
    public Register? FindRegister(string name, ref int count)
    {
        var digits = name.Length;
        while (digits > 0 && char.IsAsciiDigit(name[digits - 1])) digits--;
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._registers.TryGetValue(name, out var register)) return register;
            if (digits < name.Length && scope._ranges.TryGetValue(name[..digits], out var range) &&
                int.TryParse(name.AsSpan(digits), out var index) && index < range.Count)
            {
                register = new Register(name, range.Bytes) { Index = count++ };
                scope._registers[name] = register;
                return register;
            }
        }
        return null;
    }
}
