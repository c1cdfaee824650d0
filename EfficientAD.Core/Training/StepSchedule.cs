using System.Diagnostics;

namespace EfficientAD.Training;

/// <summary>How many steps a run takes and where it is. With a time limit the number is fitted to the time that is
/// left, first after a few steps and then now and then, so that a machine that slows down still ends in time.</summary>
internal sealed class StepSchedule
{
    private const int FirstFit = 5, FitInterval = 25;

    // Place weights, quantiles, threshold and the file take their share behind the steps.
    private static readonly TimeSpan Reserve = TimeSpan.FromSeconds(2);
    private const double ReservedStepsPerImage = 0.3;

    private readonly TimeSpan? _duration;
    private readonly double _reservedSteps;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _lastFit;
    private int _first, _lastFitStep;
    private bool _isFitted, _isFixed;

    /// <param name="imagesBehind">Images whose maps are computed behind the steps.</param>
    public StepSchedule(TrainingOptions options, int imagesBehind)
    {
        _duration = options.Duration;
        _reservedSteps = ReservedStepsPerImage * imagesBehind / options.Recipe.BatchSize;
        Steps = options.TargetSteps;
    }

    /// <summary>The next step, from 0.</summary>
    public int Step { get; private set; }

    public int Steps { get; private set; }

    /// <summary>The number of steps for a checkpoint; null as long as a time limit has not been fitted.</summary>
    public int? KnownSteps => _duration is null || _isFitted || _isFixed ? Steps : null;

    /// <summary>Goes on where a checkpoint was; the number of steps stays what it was, where it was known.</summary>
    public void ResumeAt(int step, int? steps)
    {
        Step = _first = step;
        if (steps is not { } known) return;
        Steps = known;
        _isFixed = true;
    }

    /// <summary>Ends earlier than planned; no time limit changes that any more.</summary>
    public void EndAt(int steps)
    {
        Steps = Math.Min(Steps, steps);
        _isFixed = true;
    }

    public void Advance()
    {
        Step++;
        if (_isFixed || _duration is not { } duration) return;
        int taken = Step - _first;
        if (taken == 1)
        {
            // The first step compiles and allocates; it does not count.
            (_lastFit, _lastFitStep) = (_clock.Elapsed, Step);
            return;
        }

        if (taken != FirstFit && taken % FitInterval != 0) return;
        TimeSpan now = _clock.Elapsed;
        double secondsPerStep = (now - _lastFit).TotalSeconds / (Step - _lastFitStep);
        double left = (duration - now - Reserve).TotalSeconds / secondsPerStep - _reservedSteps;
        Steps = Step + Math.Max(0, (int)left);
        (_lastFit, _lastFitStep, _isFitted) = (now, Step, true);
    }
}
