using System.Buffers;

namespace EfficientAD.Cli.Output;

/// <summary>Text that may hold names from somebody's file, made safe for a terminal: an escape character in it could
/// colour or overwrite what this program says.</summary>
internal static class PrintableText
{
    private const int FirstBehindControls = 0xA0;

    // Tab, and the newline of lists and stacks, are wanted.
    private static readonly SearchValues<char> Controls = SearchValues.Create(
        [.. Enumerable.Range(0, FirstBehindControls).Select(code => (char)code).Except(['\t', '\n'])
            .Where(char.IsControl)]);

    /// <returns>The text itself where it holds no control character; else with '?' in place of each.</returns>
    public static string Of(string text)
    {
        int first = text.AsSpan().IndexOfAny(Controls);
        return first < 0 ? text : string.Create(text.Length, text, (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                // Windows ends lines in two characters.
                bool endsLine = source[i] == '\r' && i + 1 < source.Length && source[i + 1] == '\n';
                span[i] = endsLine || !Controls.Contains(source[i]) ? source[i] : '?';
            }
        });
    }
}
