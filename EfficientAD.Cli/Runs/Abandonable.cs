namespace EfficientAD.Cli.Runs;

/// <summary>Work that does not look at a token: reading a file, one pass through networks.</summary>
internal static class Abandonable
{
    /// <summary>Runs it on another thread. On Ctrl-C it is left alone there and ends with the process: that is safe,
    /// since files are written whole or not at all, and quicker than any place where it could ask.</summary>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    public static T Run<T>(Func<T> work, CancellationToken cancellation) =>
        Task.Run(work, cancellation).WaitAsync(cancellation).GetAwaiter().GetResult();
}
