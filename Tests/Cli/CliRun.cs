using System.Text;
using System.Text.Json;
using EfficientAD.Cli;
using EfficientAD.Cli.Output;
using Spectre.Console;

namespace EfficientAD.Tests.Cli;

/// <summary>What a command returned and wrote.</summary>
internal sealed record CliRun(int Code, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public JsonElement[] JsonLines => [.. Lines.Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>Runs a command within this process.</summary>
    public static Task<CliRun> RunAsync(params string[] arguments) => RunAsync(arguments, new StringWriter(), default);

    /// <summary>Presses Ctrl-C as soon as standard output holds a text.</summary>
    public static async Task<CliRun> InterruptAsync(string text, params string[] arguments)
    {
        using var cancellation = new CancellationTokenSource();
        var output = new WatchedWriter(text, cancellation);
        return await RunAsync(arguments, output, cancellation.Token);
    }

    public static async Task<CliRun> RunAsync(string[] arguments, StringWriter output, CancellationToken cancellation)
    {
        var error = new StringWriter();
        var consoles = new CommandOutput(Console(output), Console(error));
        int code = await CommandLine.RunAsync(arguments, consoles, cancellation);
        return new CliRun(code, output.ToString(), error.ToString());
    }

    private static IAnsiConsole Console(TextWriter writer) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = AnsiSupport.No,
        ColorSystem = ColorSystemSupport.NoColors,
        Out = new AnsiConsoleOutput(writer),
    });

    private sealed class WatchedWriter(string text, CancellationTokenSource cancellation) : StringWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.Contains(text) == true) cancellation.Cancel();
        }
    }
}
