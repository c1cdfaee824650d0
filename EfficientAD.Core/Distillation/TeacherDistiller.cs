using System.Diagnostics;
using System.Globalization;
using EfficientAD.Backends;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Distillation;

/// <summary>Trains a teacher to predict a backbone's features from small patches (paper, section 3.1 and appendix
/// A.2).</summary>
/// <remarks>
/// One thread draws the next step's views and runs the backbone while the backend trains on the current ones. A resumed
/// run ends with the same bits as an uninterrupted one. Differences from the paper: random views instead of whole
/// images, a learning rate that warms up and falls along a cosine, averaged weights, dormant units that start anew, and
/// (unless asked for) no padding.
/// </remarks>
public sealed class TeacherDistiller : IDisposable
{
    private const int WarmUpSteps = 100;

    // Of all steps. A unit needs the rest of the run to become of use.
    private const double LastRevival = 0.6;

    private readonly IBackend _backend;
    private readonly DistillationOptions _options;
    private readonly DistillationDraws _draws;
    private readonly DistillationSamples _samples;
    private readonly DistillationState _state;
    private readonly DistillationStep _step;
    private readonly HeldBackLoss _heldBack;
    private readonly DormantUnits _dormant;
    private readonly string _fingerprint;
    private readonly Dictionary<string, string> _metadata;
    private readonly Stopwatch _clock = new();
    private TimeSpan _untilFirstStep;

    /// <param name="images">What to learn from: natural images, the more kinds the better. Read from one thread at a
    /// time.</param>
    /// <param name="imagesHash">Tells these images from others, so that a run is only resumed on the same ones.</param>
    /// <exception cref="ArgumentException">An option is out of range, or two contradict each other.</exception>
    public TeacherDistiller(
        IBackend backend, IBackbone backbone, ImageSet images, string imagesHash, DistillationOptions options)
    {
        options.Validate(images.Count);
        (_backend, _options) = (backend, options);
        _draws = new DistillationDraws(options.Seed, images.Count, options.HeldBack, options.ViewsPerImage);
        _samples = new DistillationSamples(backbone, images, _draws, options);
        _state = new DistillationState(backend, options);
        _step = new DistillationStep(
            backend, _state, _samples.Input, _samples.Target, options.BatchSize, options.WeightDecay);
        _heldBack = new HeldBackLoss(backend, _samples, _draws, _state, options);
        _dormant = new DormantUnits(backend, _samples, _draws, _state);
        _fingerprint = $"{options.Describe()}; backbone {backbone.Fingerprint}; {images.Count} images {imagesHash}";
        _metadata = new Dictionary<string, string>
        {
            ["command"] = options.Command,
            ["options"] = options.Describe(),
            ["backbone"] = backbone.Fingerprint,
            ["images"] = $"{images.Count} ({imagesHash})",
            ["licence"] = options.Licence,
        };
    }

    /// <summary>Runs to the end and writes the teacher; it is also written with every checkpoint, from the averaged
    /// weights, and can be used from then on. At the end the checkpoint is deleted.</summary>
    /// <param name="progress">Called after every view or step, on the caller's thread.</param>
    /// <exception cref="OperationCanceledException">Cancelled; if a step was taken, a checkpoint was written
    /// first.</exception>
    /// <exception cref="TrainingDivergedException">The loss is not finite any more; the last checkpoint
    /// stays.</exception>
    /// <exception cref="Models.ModelFormatException">The checkpoint to resume is damaged or belongs to another
    /// run.</exception>
    public DistillationResult Run(
        IProgress<DistillationProgress>? progress = null, CancellationToken cancellation = default)
    {
        _clock.Restart();
        if (_options.Resume) _state.Load(_options.CheckpointPath, _fingerprint);
        else Start(progress, cancellation);
        _heldBack.Prepare(progress, cancellation);
        _untilFirstStep = _clock.Elapsed;

        TakeSteps(progress, cancellation);
        SaveTeacher();
        File.Delete(_options.CheckpointPath);
        return new DistillationResult(_state.Steps, _state.HeldBackLoss, _state.Curve);
    }

    public void Dispose()
    {
        _dormant.Dispose();
        _heldBack.Dispose();
        _step.Dispose();
        _state.Dispose();
        _samples.Dispose();
    }

    /// <summary>First weights, and statistics over the first views of the run.</summary>
    private void Start(IProgress<DistillationProgress>? progress, CancellationToken cancellation)
    {
        _state.Steps = _options.Steps ?? int.MaxValue;
        _state.Start(_draws.Weights, _options.InitialTeacher);
        if (_options.InitialTeacher is null) _dormant.RenewAll();
        var statistics = new ChannelStatistics(PatchDescriptionNetwork.TeacherChannels);
        DistillationBatch view = DistillationBatch.Allocate(_samples, 1);
        using Tensor target = _backend.Allocate(_samples.Target);
        for (int i = 0; i < _options.StatisticsViews; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            (int image, int number) = _draws.Sample(i);
            _samples.Write(image, number, view.Inputs, view.Targets);
            _backend.Upload(view.Targets, target);
            statistics.Add(_backend, target);
            progress?.Report(new DistillationProgress(DistillationPhase.Statistics, i + 1, _options.StatisticsViews));
        }

        _backend.Upload(statistics.Mean(), _state.Mean);
        _backend.Upload(statistics.Deviation(), _state.Deviation);
    }

    private void TakeSteps(IProgress<DistillationProgress>? progress, CancellationToken cancellation)
    {
        using var batches = new BatchPrefetch(_samples, _draws, _options.BatchSize);
        var sinceCheckpoint = Stopwatch.StartNew();
        while (_state.Step < _state.Steps)
        {
            if (cancellation.IsCancellationRequested)
            {
                if (_state.Step > 0) SaveCheckpoint();
                cancellation.ThrowIfCancellationRequested();
            }

            if (_state.Step % DormantUnits.Interval == 0 && _state.Step < LastRevival * _state.Steps)
                _state.Revived += _dormant.Revive();
            float learningRate = LearningRate(_state.Step);
            float loss = _step.Run(batches.Take(_state.Step), learningRate);
            if (_options.Duration is { } duration && !_options.Resume) FitSteps(duration);
            if (_state.Step % _options.EvaluationInterval == 0 || _state.Step == _state.Steps)
            {
                _step.Settle();
                _state.AddPoint(_heldBack.Measure());
            }

            progress?.Report(new DistillationProgress(
                DistillationPhase.Steps, _state.Step, _state.Steps, loss, _state.HeldBackLoss, learningRate));
            if (sinceCheckpoint.Elapsed < _options.CheckpointInterval) continue;
            SaveCheckpoint();
            sinceCheckpoint.Restart();
        }
    }

    /// <param name="step">From 0.</param>
    private float LearningRate(int step)
    {
        double warmUp = Math.Min(1, (step + 1.0) / WarmUpSteps), progress = (double)step / _state.Steps;
        return (float)(_options.LearningRate * warmUp * 0.5 * (1 + Math.Cos(Math.PI * progress)));
    }

    /// <summary>So many steps that, at the pace so far, the run ends in time; the learning rate then follows the
    /// clock.</summary>
    private void FitSteps(TimeSpan duration)
    {
        TimeSpan each = (_clock.Elapsed - _untilFirstStep) / _state.Step;
        _state.Steps = _state.Step + Math.Max(0, (int)((duration - _clock.Elapsed) / each));
    }

    private void SaveCheckpoint()
    {
        _step.Settle();
        _state.Save(_options.CheckpointPath, _fingerprint);
        SaveTeacher();
    }

    private void SaveTeacher()
    {
        _metadata["step"] = string.Create(CultureInfo.InvariantCulture, $"{_state.Step} of {_state.Steps}");
        _metadata["units_revived"] = _state.Revived.ToString(CultureInfo.InvariantCulture);
        _metadata["held_back_loss"] = _state.HeldBackLoss.ToString(CultureInfo.InvariantCulture);
        _metadata["curve"] = string.Join("; ", _state.Curve.Select(point => string.Create(
            CultureInfo.InvariantCulture, $"{point.Step} {point.Loss:0.0000} {point.HeldBackLoss:0.0000}")));
        _state.SaveTeacher(_options.TeacherPath, _metadata);
    }
}
