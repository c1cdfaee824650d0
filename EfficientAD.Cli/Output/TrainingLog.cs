using System.Diagnostics;
using System.Globalization;
using EfficientAD.Training;

namespace EfficientAD.Cli.Output;

/// <summary>A training run as lines of a log or of JSON: one now and then, and the last of each phase.</summary>
internal sealed class TrainingLog(CommandOutput output, bool json) : IProgress<TrainingProgress>
{
    private const double SmallestShare = 0.005;
    private static readonly TimeSpan TextInterval = TimeSpan.FromSeconds(10), JsonInterval = TimeSpan.FromSeconds(1);

    private readonly Pace _pace = new(json ? JsonInterval : TextInterval, SmallestShare);
    private readonly LossHistory _history = new();
    private readonly Stopwatch _phaseClock = new();
    private TrainingPhase? _phase;
    private int _doneBefore;

    public void Report(TrainingProgress value)
    {
        if (value.Losses is { } losses) _history.Add(losses);
        if (_phase != value.Phase)
        {
            (_phase, _doneBefore) = (value.Phase, value.Done);
            _phaseClock.Restart();
        }

        if (!_pace.IsDue(value.Done, value.Total)) return;
        if (json) WriteJson(value);
        else WriteText(value);
    }

    /// <summary>From the mean speed of this phase; unknown until its second report.</summary>
    private TimeSpan? TimeLeft(TrainingProgress value) => value.Done > _doneBefore
        ? _phaseClock.Elapsed * (value.Total - value.Done) / (value.Done - _doneBefore)
        : null;

    private void WriteText(TrainingProgress value)
    {
        string line = $"{value.Phase.ToString().ToLowerInvariant()} {value.Done}/{value.Total}";
        if (value.Losses is not null)
        {
            StepLosses losses = _history.Smoothed;
            line += string.Create(CultureInfo.InvariantCulture,
                $"  hard {losses.Hard:0.0000}  penalty {losses.Penalty:0.0000}" +
                $"  autoencoder {losses.Autoencoder:0.0000}  student-autoencoder {losses.StudentAutoencoder:0.0000}" +
                $"  learning rate {value.LearningRate:0.0e-0}");
        }

        if (value.Done < value.Total && TimeLeft(value) is { } left) line += $"  {Durations.Format(left)} left";
        output.WriteLine(line);
    }

    private void WriteJson(TrainingProgress value) => output.WriteJson(writer =>
    {
        writer.WriteString("event", "progress");
        writer.WriteString("phase", value.Phase.ToString().ToLowerInvariant());
        writer.WriteNumber("done", value.Done);
        writer.WriteNumber("total", value.Total);
        if (value.Losses is { } losses)
        {
            writer.WriteNumber("hard", losses.Hard);
            writer.WriteNumber("penalty", losses.Penalty);
            writer.WriteNumber("autoencoder", losses.Autoencoder);
            writer.WriteNumber("student_autoencoder", losses.StudentAutoencoder);
            writer.WriteNumber("learning_rate", value.LearningRate);
        }

        if (TimeLeft(value) is { } left) writer.WriteNumber("seconds_left", Math.Round(left.TotalSeconds, 1));
    });
}
