using EfficientAD.Cli.Output;

namespace EfficientAD.Tests.Cli;

public class PrintableTextTests
{
    [Theory]
    [InlineData("")]
    [InlineData("  threshold  0.5, für 12 \u00b5m \ud83d\ude00")]
    [InlineData("a\tb\nc")]
    public void TextWithoutControlCharacters_IsNotCopied(string text) => Assert.Same(text, PrintableText.Of(text));

    [Theory]
    [InlineData("\u001b[31mred", "?[31mred")]
    [InlineData("\u009b31mred", "?31mred")]                // the same in one character
    [InlineData("bell\u0007 null\0 delete\u007f", "bell? null? delete?")]
    [InlineData("good\rbad", "good?bad")]                 // would overwrite its line
    [InlineData("one\r\ntwo\u001b", "one\r\ntwo?")]       // ends a line on Windows
    [InlineData("end\r", "end?")]
    public void ControlCharacters_AreReplaced(string text, string expected) =>
        Assert.Equal(expected, PrintableText.Of(text));
}
