using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EfficientAD.Detection;
using Spectre.Console;

namespace EfficientAD.Cli.Output;

/// <summary>Where commands write: results on standard output, for people or as lines of JSON; what went wrong on
/// standard error.</summary>
internal sealed class CommandOutput(IAnsiConsole console, IAnsiConsole error)
{
    private static readonly JsonWriterOptions JsonOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly ArrayBufferWriter<byte> _json = new();

    /// <summary>Standard output, for text that may be wrapped and coloured.</summary>
    public IAnsiConsole Console => console;

    /// <summary>Whether somebody looks at a terminal, so that progress can move.</summary>
    public bool IsTerminal => console.Profile.Out.IsTerminal && console.Profile.Capabilities.Ansi;

    public static CommandOutput ForProcess() => new(
        AnsiConsole.Console,
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(System.Console.Error) }));

    /// <summary>One line as it is, however long, but for control characters.</summary>
    public void WriteLine(string line = "") => console.Profile.Out.Writer.WriteLine(PrintableText.Of(line));

    /// <summary>One JSON object on one line.</summary>
    /// <param name="write">Writes the object's properties.</param>
    public void WriteJson(Action<Utf8JsonWriter> write)
    {
        _json.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_json, JsonOptions))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        WriteLine(Encoding.UTF8.GetString(_json.WrittenSpan));
    }

    /// <summary>UTF-8 text as it is, and the end of the line.</summary>
    public void WriteUtf8(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        WriteLine(Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
    }

    /// <summary>Says that something is amiss, though the command goes on.</summary>
    public void Warn(string message) => WriteError("Warning: ", Color.Yellow, message);

    /// <summary>Says so where a detector does not compute as it was asked to.</summary>
    public void WarnOfFallback(AnomalyDetector detector)
    {
        if (detector.Fallback is { } reason) Warn(reason);
    }

    public void Error(string message) => WriteError("Error: ", Color.Red, message);

    /// <summary>A line on standard error without heading.</summary>
    public void Note(string message) => error.Profile.Out.Writer.WriteLine(PrintableText.Of(message));

    private void WriteError(string heading, Color colour, string message)
    {
        error.Write(new Text(heading, new Style(colour)));
        Note(message);
    }
}
