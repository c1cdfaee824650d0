namespace PtxSimulator.Decoding;

/// <summary>The parts of an opcode between its dots. Each must be taken by somebody: none is ignored.</summary>
internal sealed class Modifiers
{
    private readonly List<string> _parts;

    public Modifiers(string opcode)
    {
        _parts = [.. opcode.Split('.')];
        Name = _parts[0];
        _parts.RemoveAt(0);
    }

    public string Name { get; }

    /// <summary>What nobody took.</summary>
    public IReadOnlyList<string> Left => _parts;

    public bool Take(string part) => _parts.Remove(part);

    /// <summary>Takes the first of these that is there; null if none is.</summary>
    public string? TakeOneOf(params ReadOnlySpan<string> parts)
    {
        foreach (var part in parts)
            if (_parts.Remove(part)) return part;
        return null;
    }

    /// <summary>The opcode was understood as a whole.</summary>
    public void TakeAll() => _parts.Clear();

    public string? TakeLast()
    {
        if (_parts.Count == 0) return null;
        var last = _parts[^1];
        _parts.RemoveAt(_parts.Count - 1);
        return last;
    }
}
