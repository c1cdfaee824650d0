using System.Text.RegularExpressions;
using EfficientAD.Data;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Native;
using EfficientAD.Training;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Output;

/// <summary>How an exception ends a command: one message, one exit code.</summary>
internal static partial class Failure
{
    private const string PleaseReport = "This is a fault of the program; please report it with what --verbose prints.";

    /// <param name="arguments">The command line.</param>
    /// <param name="isVerbose">Shows the stack as well.</param>
    public static int Report(Exception error, IReadOnlyList<string> arguments, CommandOutput output, bool isVerbose)
    {
        bool isUsage = error is CommandAppException or UsageException;
        if (error is OperationCanceledException) output.Note("Interrupted.");
        else if (isUsage) output.Error($"{UsageMessage(error)} See 'efficientad{Command(arguments)} --help'.");
        else if (IsExpected(error)) output.Error(error.Message);
        else output.Error($"{error.GetType().Name}: {error.Message} {PleaseReport}");

        if (isVerbose) output.Note(error.ToString());
        return isUsage ? ExitCode.Usage : error is OperationCanceledException ? ExitCode.Cancelled : ExitCode.Failure;
    }

    private static bool IsExpected(Exception error) => error
        is DatasetException or ImageFormatException or ModelFormatException or TrainingDivergedException
        or CudaException or IOException or UnauthorizedAccessException or NotSupportedException or
        InvalidOperationException;

    /// <summary>All options that the parser converts are numbers; it names their .NET types.</summary>
    private static string UsageMessage(Exception error)
    {
        string message = FailedConversion().Replace(error.Message, "$1 is not a number that this option takes.");
        return message.EndsWith('.') ? message : message + ".";
    }

    private static string Command(IReadOnlyList<string> arguments) =>
        arguments is [var first, ..] && CommandLine.Commands.Contains(first) ? $" {first}" : "";

    [GeneratedRegex(@"^Failed to convert ('.*') to \S+$")]
    private static partial Regex FailedConversion();
}
