using System.Globalization;

namespace PtxSimulator.Parsing;

/// <summary>Reads tokens one after the other, with the numbers and names that all of PTX shares.</summary>
internal sealed class TokenStream(IReadOnlyList<Token> tokens, string module)
{
    private int _position;

    public Token Peek => tokens[_position];

    public Token PeekAfter => tokens[Math.Min(_position + 1, tokens.Count - 1)];

    public int Line => Peek.Line;

    public bool AtEnd => Peek.Kind == TokenKind.End;

    public Token Next() => AtEnd ? throw Error("the text ends too early.") : tokens[_position++];

    public bool At(string text) => Peek.Kind is TokenKind.Symbol or TokenKind.Word && Peek.Text == text;

    public bool Skip(string text)
    {
        if (!At(text)) return false;
        _position++;
        return true;
    }

    public void Expect(string text)
    {
        if (!Skip(text)) throw Error($"'{text}' expected, found '{Peek.Text}'.");
    }

    public string Word() =>
        Peek.Kind == TokenKind.Word ? Next().Text : throw Error($"a name expected, found '{Peek.Text}'.");

    public int Integer() => checked((int)Constant().Bits);

    public PtxFormatException Error(string what) => new(module, Line, what);

    /// <summary>An integer, or <c>0f</c> / <c>0d</c> with the bits of a float in hexadecimal.</summary>
    public ImmediateOperand Constant()
    {
        var negative = Skip("-");
        if (Peek.Kind != TokenKind.Number) throw Error($"a number expected, found '{Peek.Text}'.");
        var text = Peek.Text;
        var constant = Floating(text, "0f", 8, 4, negative) ?? Floating(text, "0d", 16, 8, negative)
            ?? Whole(text, negative)
            ?? throw Error($"'{text}' is neither an integer nor 0f with 8 or 0d with 16 hexadecimal digits.");
        _position++;
        return constant;
    }

    private static ImmediateOperand? Floating(string text, string prefix, int digits, int bytes, bool negative)
    {
        if (text.Length != 2 + digits || !text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) return null;
        if (!ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits))
            return null;
        return new(negative ? bits ^ (1ul << (bytes * 8 - 1)) : bits, bytes);
    }

    private static ImmediateOperand? Whole(string text, bool negative)
    {
        text = text.TrimEnd('U', 'u');
        var hexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var parsed = hexadecimal
            ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out bits);
        if (!parsed || !hexadecimal && text.Length > 1 && text[0] == '0') return null;  // octal is not used
        return new(negative ? 0 - bits : bits, 0);
    }
}
