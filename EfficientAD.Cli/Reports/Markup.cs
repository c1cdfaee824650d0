using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace EfficientAD.Cli.Reports;

/// <summary>Finished HTML. Made by <see cref="Of"/>, which encodes every string that is put into it: file names and
/// everything else from outside are untrusted.</summary>
internal readonly record struct Markup(string Html)
{
    public static Markup Of(Interpolated text) => new(text.ToString());

    public override string ToString() => Html;

    /// <summary>Between the holes text as it is; in the holes markup as it is, numbers in the invariant culture,
    /// strings encoded.</summary>
    [InterpolatedStringHandler]
    internal readonly struct Interpolated
    {
        private readonly StringBuilder _text;

        public Interpolated(int literalLength, int holes) => _text = new(literalLength + 16 * holes);

        public void AppendLiteral(string literal) => _text.Append(literal);

        public void AppendFormatted(Markup markup) => _text.Append(markup.Html);

        public void AppendFormatted(IEnumerable<Markup> parts)
        {
            foreach (Markup part in parts) _text.Append(part.Html);
        }

        public void AppendFormatted(string text) => _text.Append(WebUtility.HtmlEncode(text));

        public void AppendFormatted(int number) => _text.Append(CultureInfo.InvariantCulture, $"{number}");

        public void AppendFormatted(double number, string format = "0.##") =>
            _text.Append(number.ToString(format, CultureInfo.InvariantCulture));

        public override string ToString() => _text.ToString();
    }
}
