using EfficientAD.Cli.Output;
using EfficientAD.Distillation;

namespace EfficientAD.Cli.Distillation;

/// <summary>A distillation as lines of a log, or as lines of JSON: one now and then, and the last of each
/// phase.</summary>
internal sealed class DistillationLog(CommandOutput output, bool json, int batchSize) : IProgress<DistillationProgress>
{
    private const double SmallestShare = 0.005;
    private static readonly TimeSpan TextInterval = TimeSpan.FromSeconds(20), JsonInterval = TimeSpan.FromSeconds(1);

    private readonly Pace _due = new(json ? JsonInterval : TextInterval, SmallestShare);
    private readonly DistillationPace _pace = new(batchSize);

    public void Report(DistillationProgress value)
    {
        _pace.Add(value);
        if (!_due.IsDue(value.Done, value.Total)) return;
        if (json) WriteJson(value);
        else WriteText(value);
    }

    private void WriteText(DistillationProgress value)
    {
        string left = value.Done < value.Total && _pace.TimeLeft(value) is { } time
            ? $"{Durations.Format(time)} left"
            : "";
        string[] parts = [$"{Name(value.Phase)} {value.Done}/{value.Total}", _pace.Describe(value), left];
        output.WriteLine(string.Join("  ", parts.Where(part => part != "")));
    }

    private void WriteJson(DistillationProgress value) => output.WriteJson(writer =>
    {
        writer.WriteString("event", "progress");
        writer.WriteString("phase", Name(value.Phase));
        writer.WriteNumber("done", value.Done);
        writer.WriteNumber("total", value.Total);
        if (value.Phase == DistillationPhase.Steps)
        {
            writer.WriteNumber("loss", value.Loss);
            if (!float.IsNaN(value.HeldBackLoss)) writer.WriteNumber("held_back_loss", value.HeldBackLoss);
            writer.WriteNumber("learning_rate", value.LearningRate);
            if (_pace.TimeLeft(value) is { } left)
            {
                writer.WriteNumber("images_per_second", Math.Round(_pace.Rate(value), 2));
                writer.WriteNumber("seconds_left", Math.Round(left.TotalSeconds, 1));
            }
        }
    });

    private static string Name(DistillationPhase phase) => phase switch
    {
        DistillationPhase.Statistics => "statistics",
        DistillationPhase.HeldBack => "held back",
        _ => "steps",
    };
}
