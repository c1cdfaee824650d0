using System.Diagnostics;
using System.Globalization;
using EfficientAD.Cli.Output;
using EfficientAD.Distillation;

namespace EfficientAD.Cli.Distillation;

/// <summary>What people want to know of a run's reports: the loss smoothed over about the last 50 steps, images per
/// second, time left.</summary>
internal sealed class DistillationPace(int batchSize)
{
    private const float Smoothing = 0.02f;

    private readonly Stopwatch _clock = new();
    private DistillationPhase? _phase;
    private int _doneBefore, _steps;
    private float _loss;

    public void Add(DistillationProgress value)
    {
        if (_phase != value.Phase)
        {
            (_phase, _doneBefore) = (value.Phase, value.Done);
            _clock.Restart();
        }

        if (value.Phase == DistillationPhase.Steps) _loss += (value.Loss - _loss) * Math.Max(Smoothing, 1f / ++_steps);
    }

    /// <summary>NaN before the first step.</summary>
    public float Loss => _steps == 0 ? float.NaN : _loss;

    /// <summary>From the mean speed of this phase; unknown until its second report.</summary>
    public TimeSpan? TimeLeft(DistillationProgress value) => value.Done > _doneBefore
        ? _clock.Elapsed * (value.Total - value.Done) / (value.Done - _doneBefore)
        : null;

    /// <summary>Views a second.</summary>
    public double Rate(DistillationProgress value)
    {
        int views = value.Phase == DistillationPhase.Steps ? batchSize : 1;
        return (value.Done - _doneBefore) * views / _clock.Elapsed.TotalSeconds;
    }

    public string Describe(DistillationProgress value)
    {
        if (value.Phase != DistillationPhase.Steps) return "";
        string heldBack = float.IsNaN(value.HeldBackLoss)
            ? ""
            : value.HeldBackLoss.ToString("held-back 0.0000  ", CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture,
            $"loss {Loss:0.0000}  {heldBack}learning rate {value.LearningRate:0.0e-0}  {Rate(value):0.0} images/s");
    }
}
