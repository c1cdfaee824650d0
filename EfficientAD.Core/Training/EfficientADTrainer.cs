using System.Diagnostics;
using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Data;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>Trains a model on a category's good images (paper, section 3): teacher statistics, optimiser steps, then map
/// quantiles and threshold on images that were set aside. The test set is never looked at.</summary>
public sealed class EfficientADTrainer : IDisposable
{
    private const int RenderedPenaltyImages = 512;
    private const int FeaturesShare = 4;  // of a device's free memory one in so many parts

    private readonly TrainingOptions _options;
    private readonly Recipe _recipe;
    private readonly TrainingSplit _split;
    private readonly StepDraws _draws;
    private readonly IBackend _backend;
    private readonly bool _ownsBackend;
    private readonly DetectionNetworks _networks;
    private readonly ImageSet _images;
    private readonly ImageSet? _penaltyImages;
    private readonly FeatureCache _features;
    private readonly NetworkInput _input;
    private readonly EarlyStop? _earlyStop;
    private readonly string _teacherOrigin, _dataHash, _dataName;

    /// <param name="backend">What computes, in place of the options' device: a backend in a context of the caller's, for
    /// instance. It stays the caller's and must outlive the trainer.</param>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <exception cref="DatasetException">There are too few images.</exception>
    /// <exception cref="ModelFormatException">The teacher's file does not fit.</exception>
    /// <exception cref="NotSupportedException">The options name a CUDA device that cannot be used.</exception>
    public EfficientADTrainer(AnomalyDataset dataset, TrainingOptions options, IBackend? backend = null)
    {
        options.Validate();
        (_options, _recipe, _dataName) = (options, options.Recipe, dataset.Name);
        _split = dataset.SplitTrainValidation(options.Seed);
        _dataHash = DatasetHash.Compute(dataset.Root, _split.Train.Concat(_split.Validation));
        _draws = new StepDraws(options.Seed);

        _ownsBackend = backend is null;
        _backend = backend ?? options.Device.Open(options.Cpu, options.Cuda);
        (PatchDescriptionNetwork teacher, _teacherOrigin) =
            TeacherFile.Load(options.TeacherPath, options.Size, _recipe.Padded, _backend);
        _networks = new DetectionNetworks(_backend, teacher, trainable: true);
        _input = new NetworkInput(_backend, options.Fit, options.InputHeight, options.InputWidth);

        if (options.EarlyStopInterval > 0) _earlyStop = new EarlyStop(options.EarlyStopInterval);
        long budget = options.ResolveCacheBudget();
        _images = new ImageSet(_split.Train.Count, i => ImageReader.Default.Read(_split.Train[i]), budget);
        _features = new FeatureCache(
            _split.Train.Count, _backend is CudaBackend cuda ? cuda.Stream.Context.QueryFreeBytes() / FeaturesShare : budget);
        if (!_recipe.Penalty) return;
        _penaltyImages = options.PenaltyPaths.Count > 0
            ? new ImageSet(options.PenaltyPaths.Count, i => ImageReader.Default.Read(options.PenaltyPaths[i]), budget)
            : new ImageSet(RenderedPenaltyImages, RenderPenalty, budget) { AtInputScale = true };
    }

    /// <summary>Where checkpoints go: beside the model.</summary>
    public string CheckpointPath => _options.CheckpointPath;

    /// <summary>What computes, in words.</summary>
    public string Processor => _backend.Name;

    /// <summary>What differs from the recipe, in words; empty where nothing does.</summary>
    public string Deviations => _options.DescribeDeviations();

    /// <summary>Trains and writes the model; afterwards the checkpoint is deleted.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; a checkpoint was written first.</exception>
    /// <exception cref="TrainingDivergedException">A loss is not finite; the last checkpoint stays.</exception>
    /// <exception cref="ImageFormatException">A training image cannot be read.</exception>
    public ModelInformation Run(IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        _networks.Student.Initialize(_draws.StudentWeights);
        if (_recipe.WarmStart) _networks.Student.CopyHiddenLayersFrom(_networks.Teacher);
        _networks.Autoencoder.Initialize(_draws.AutoencoderWeights);
        var schedule = new StepSchedule(_options, _split.Train.Count, _split.Validation.Count);
        if (_options.Resume)
        {
            (int step, int steps) = TrainingCheckpoint.Load(CheckpointPath, Fingerprint, _networks, _earlyStop);
            schedule.ResumeAt(step, steps);
        }

        // A student that is solved for needs the patches again after a pause: the same ones.
        StudentSolver? solver = _options.Resume && _recipe.StudentFit is null ? null : LookAtImages(progress, cancellation);
        TakeSteps(schedule, progress, cancellation);
        solver?.SolveAutoencoderHalf(PrepareTrainingImage);
        return Finish(schedule.Steps, progress);
    }

    public void Dispose()
    {
        _features.Dispose();
        _networks.Dispose();
        if (_ownsBackend) _backend.Dispose();
    }

    private string Fingerprint =>
        $"{_options.Describe()}, teacher {_teacherOrigin}, data {_dataHash[..16]}, {_penaltyImages?.Count ?? 0} penalty images";

    /// <summary>Teacher statistics over the plain training images: mean and standard deviation per channel (paper, section
    /// 3.1). With them what a student that is solved for needs of these images, and its first half.</summary>
    private StudentSolver? LookAtImages(IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        using var tape = new Autograd.Tape(_backend);
        using Tensor image = _backend.Allocate(new Shape(1, 3, _options.InputHeight, _options.InputWidth));
        // The features are kept for the steps: they must have the bits that a step after a pause computes, hence its way.
        Autograd.Variable input = Autograd.Variable.Constant(image);
        Tensor? hidden = _recipe.StudentFit is null ? null : _networks.Teacher.Hidden(tape, input).Value;
        Tensor features = hidden is null
            ? _networks.Teacher.Forward(tape, input).Value
            : _networks.Teacher.Layers[^1].Forward(tape, Autograd.Variable.Constant(hidden)).Value;
        StudentSolver? solver = _recipe.StudentFit is { } fit
            ? new StudentSolver(_networks, fit, _draws, hidden!.Shape, features.Shape, _images.Count)
            : null;
        int penaltyImages = solver is not null && _recipe.Penalty ? StudentSolver.PenaltyImages : 0;
        var statistics = new ChannelStatistics(PatchDescriptionNetwork.TeacherChannels);
        for (int i = 0; i < _images.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            PrepareTrainingImage(i, image);
            tape.Forward();
            statistics.Add(_backend, features);
            _features.Keep(i, _backend, features);
            solver?.Add(i, hidden!, features);
            Report(i + 1);
        }

        _backend.Upload(statistics.Mean(), _networks.Mean);
        _backend.Upload(statistics.Deviation(), _networks.Deviation);
        solver?.SolveTeacherHalf(image.Shape, penaltyImages == 0 ? null : PreparePenalty);
        return solver;

        void PreparePenalty(int i, Tensor input)
        {
            cancellation.ThrowIfCancellationRequested();
            (int index, ColourAdjustment adjustment) = _draws.Penalty(i, _penaltyImages!.Count);
            _penaltyImages.Prepare(index, adjustment, _backend, input);
            Report(_images.Count + i + 1);
        }

        void Report(int done) =>
            progress?.Report(new TrainingProgress(TrainingPhase.Statistics, done, _images.Count + penaltyImages));
    }

    private void PrepareTrainingImage(int index, Tensor input) =>
        _input.Write(_images[index].View, ColourAdjustment.None, input);

    private void TakeSteps(StepSchedule schedule, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        (IDisposable owner, Func<int, float, StepLosses> run) = PrepareSteps();
        using IDisposable step = owner;
        using HeldBackLoss? heldBack = _earlyStop is null ? null : new HeldBackLoss(
            _networks, _recipe, _input, _split.Validation, _options.InputHeight, _options.InputWidth);
        var sinceCheckpoint = Stopwatch.StartNew();
        for (; schedule.Step < schedule.Steps; schedule.Advance())
        {
            if (cancellation.IsCancellationRequested)
            {
                SaveCheckpoint(schedule);
                cancellation.ThrowIfCancellationRequested();
            }

            float planned = _recipe.LearningRateAt(schedule.Step, schedule.Steps);
            float learningRate = _earlyStop?.LearningRateAt(schedule.Step, planned) ?? planned;
            StepLosses losses = run(schedule.Step, learningRate);
            RequireFinite(losses);
            if (_earlyStop is not null && _earlyStop.IsDue(schedule.Step))
            {
                _earlyStop.Add(schedule.Step, heldBack!.Measure(), learningRate);
                if (_earlyStop.End is { } end) schedule.EndAt(end);
            }

            progress?.Report(new TrainingProgress(TrainingPhase.Steps, schedule.Step + 1, schedule.Steps, losses, learningRate));
            if (sinceCheckpoint.Elapsed < _options.CheckpointInterval) continue;
            RequireLastFinite();
            SaveCheckpoint(schedule, finished: 1);
            sinceCheckpoint.Restart();
        }

        RequireLastFinite();

        // A device's losses come a few steps late.
        void RequireLastFinite()
        {
            if (owner is TrainingStep { LastLosses: var last }) RequireFinite(last);
        }

        void RequireFinite(StepLosses losses)
        {
            if (!float.IsFinite(losses.Total)) throw new TrainingDivergedException(schedule.Step, losses, CheckpointPath);
        }
    }

    private (IDisposable Owner, Func<int, float, StepLosses> Run) PrepareSteps()
    {
        if (_recipe.StudentFit is not null)
        {
            var alone = new AutoencoderStep(_recipe, _draws, _networks, _input, _options.InputHeight, _options.InputWidth);
            return (alone, (step, rate) => alone.Run(step, rate, _images, _features));
        }

        var all = new TrainingStep(_networks, _recipe, _draws, _options.InputHeight, _options.InputWidth, _options.Fit);
        return (all, (step, rate) => all.Run(step, rate, _images, _penaltyImages, _features));
    }

    private void SaveCheckpoint(StepSchedule schedule, int finished = 0) => TrainingCheckpoint.Save(
        CheckpointPath, Fingerprint, schedule.Step + finished, schedule.Steps, _networks, _earlyStop);

    /// <summary>Map quantiles and threshold on the images set aside (paper, section 3.4), then the model's file.</summary>
    private ModelInformation Finish(int steps, IProgress<TrainingProgress>? progress)
    {
        using var trained = new DetectionNetworks(_backend, _options.Size, _recipe.Padded, trainable: false);
        trained.CopyFrom(_networks);
        using var plan = new Detection.DetectionPlan(
            trained, _recipe.MapOrder, _options.InputHeight, _options.InputWidth, fit: _options.Fit);
        using var fit = AutoencoderFit.For(_recipe, trained, _input, _options.InputHeight, _options.InputWidth);
        var validation = new ValidationMaps(plan, _backend, _split.Validation.Count, fit);
        for (int i = 0; i < _split.Validation.Count; i++)
        {
            validation.Add(ImageReader.Default.Read(_split.Validation[i]));
            progress?.Report(new TrainingProgress(TrainingPhase.Quantiles, i + 1, _split.Validation.Count));
        }

        (int height, int width) = _images.CommonSize();
        Detection.MapScaling scaling = validation.FindScaling(_recipe);
        float[] scores = validation.Scores(scaling);
        Detection.PooledDistribution? pooled = null;
        Detection.PooledScaling? pooledScaling = null;
        if (_options.PooledHead)
        {
            using var head = new PooledHeadFit(trained, _input, _options.InputHeight, _options.InputWidth);
            pooled = head.FindDistribution(Enumerable.Range(0, _images.Count).Select(i => _images[i]));
            pooledScaling = head.FindScaling(pooled, _split.Validation.Select(path => ImageReader.Default.Read(path)), scores);
        }

        var information = new ModelInformation
        {
            Size = _options.Size,
            Padded = _recipe.Padded,
            MapOrder = _recipe.MapOrder,
            Fit = _options.Fit,
            InputHeight = _options.InputHeight,
            InputWidth = _options.InputWidth,
            ImageHeight = height,
            ImageWidth = width,
            Scaling = scaling,
            Pooled = pooledScaling,
            Calibration = Detection.Calibration.FromGoodScores(scores, _options.FalsePositiveRate),
            Recipe = _recipe.Name,
            Deviations = _options.DescribeDeviations(steps),
            Seed = _options.Seed,
            Steps = steps,
            Data = _dataName,
            DataHash = _dataHash,
            TrainingImages = _split.Train.Count,
            ValidationImages = _split.Validation.Count,
            Teacher = _teacherOrigin,
            Penalty = _options.DescribePenalty(),
        };
        ModelFile.Save(_options.ModelPath, information, trained, pooled);
        File.Delete(CheckpointPath);
        return information;
    }

    private RgbImage RenderPenalty(int index) =>
        NaturalTexture.Render(_options.Seed, index, Math.Max(_options.InputHeight, _options.InputWidth));
}
