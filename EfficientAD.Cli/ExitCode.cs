namespace EfficientAD.Cli;

/// <summary>What the process returns to its caller.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>Input, data or machine are at fault; a message is on standard error.</summary>
    public const int Failure = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>predict: every image could be judged, at least one is anomalous.</summary>
    public const int Anomalous = 3;

    /// <summary>compare: a layer differs by more than the tolerance.</summary>
    public const int Different = 3;

    /// <summary>predict: at least one image could not be judged.</summary>
    public const int Invalid = 4;

    /// <summary>Ctrl-C, as shells have it: 128 + SIGINT.</summary>
    public const int Cancelled = 130;
}
