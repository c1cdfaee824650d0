using System.Diagnostics;

namespace EfficientAD.Cli.Output;

/// <summary>How often a line is due where nothing can move: after an interval and a share of the work.</summary>
/// <param name="interval">Shortest time between two lines.</param>
/// <param name="share">Smallest share of the work between two lines: days of training must not fill a disk.</param>
internal sealed class Pace(TimeSpan interval, double share)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _last;
    private int _lastDone;

    public bool IsDue(int done, int total)
    {
        if (done < _lastDone) _lastDone = 0;
        bool isDue = done >= total || (_clock.Elapsed - _last >= interval && done - _lastDone >= share * total);
        if (isDue) (_last, _lastDone) = (_clock.Elapsed, done);
        return isDue;
    }
}
