namespace PtxSimulator.Parsing;

internal enum TokenKind { Word, Number, Text, Symbol, End }

internal readonly record struct Token(TokenKind Kind, string Text, int Line);

/// <summary>Cuts PTX into tokens. An opcode with all its modifiers is one word.</summary>
internal sealed class Lexer(string text, string module)
{
    private int _position;
    private int _line = 1;

    public static List<Token> Read(string text, string module)
    {
        var lexer = new Lexer(text, module);
        var tokens = new List<Token>(text.Length / 4);
        do
            tokens.Add(lexer.Next());
        while (tokens[^1].Kind != TokenKind.End);
        return tokens;
    }

    private Token Next()
    {
        SkipBlanksAndComments();
        if (_position == text.Length) return new(TokenKind.End, "the end of the text", _line);
        var c = text[_position];
        if (c == '"') return Quoted();
        if (char.IsAsciiDigit(c)) return Take(TokenKind.Number, NumberEnd());
        if (IsWordPart(c)) return Take(TokenKind.Word, WordEnd());
        if ("{}()[]<>,;:|@!+-=".Contains(c)) return Take(TokenKind.Symbol, _position + 1);
        throw new PtxFormatException(module, _line, $"unexpected character '{c}'.");
    }

    private Token Take(TokenKind kind, int end)
    {
        var token = new Token(kind, text[_position..end], _line);
        _position = end;
        return token;
    }

    private Token Quoted()
    {
        var end = text.IndexOf('"', _position + 1);
        if (end < 0) throw new PtxFormatException(module, _line, "a string without its end.");
        var token = new Token(TokenKind.Text, text[(_position + 1)..end], _line);
        _line += token.Text.Count(c => c == '\n');
        _position = end + 1;
        return token;
    }

    private int NumberEnd()
    {
        var end = _position;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '.')) end++;
        return end;
    }

    private int WordEnd()
    {
        var end = _position;
        while (end < text.Length)
        {
            if (IsWordPart(text[end]) || char.IsAsciiDigit(text[end])) end++;
            else if (IsScopeMark(end)) end += 2;
            else break;
        }
        return end;
    }

    // "::" within a word, as in L1::no_allocate; a single colon ends a label.
    private bool IsScopeMark(int position) =>
        At(position, "::") && position + 2 < text.Length && IsWordPart(text[position + 2]);

    private static bool IsWordPart(char c) => char.IsAsciiLetter(c) || c is '_' or '$' or '%' or '.';

    private void SkipBlanksAndComments()
    {
        while (_position < text.Length)
        {
            if (text[_position] == '\n') (_line, _position) = (_line + 1, _position + 1);
            else if (char.IsWhiteSpace(text[_position]) || text[_position] == '\0') _position++;
            else if (At(_position, "//")) SkipUntil("\n");
            else if (At(_position, "/*")) SkipUntil("*/");
            else return;
        }
    }

    private bool At(int position, string mark) => string.CompareOrdinal(text, position, mark, 0, mark.Length) == 0;

    private void SkipUntil(string mark)
    {
        var end = text.IndexOf(mark, _position, StringComparison.Ordinal);
        end = end < 0 ? text.Length : mark == "\n" ? end : end + mark.Length;
        while (_position < end)
            if (text[_position++] == '\n') _line++;
    }
}
