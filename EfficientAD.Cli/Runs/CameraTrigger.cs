using System.Diagnostics;

namespace EfficientAD.Cli.Runs;

/// <summary>Tells when a camera's next frame is due.</summary>
internal static class CameraTrigger
{
    // The system may wake a sleeping thread this much too late.
    private static readonly TimeSpan Spin = TimeSpan.FromMilliseconds(2);

    /// <summary>Returns at a time, or as soon as the user wants to stop.</summary>
    /// <param name="timestamp">In units of <see cref="Stopwatch.GetTimestamp"/>.</param>
    public static void WaitUntil(long timestamp, CancellationToken cancellation)
    {
        TimeSpan left = Left();
        if (left > Spin) cancellation.WaitHandle.WaitOne(left - Spin);
        while (Left() > TimeSpan.Zero && !cancellation.IsCancellationRequested) Thread.SpinWait(20);

        TimeSpan Left() => Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), timestamp);
    }
}
