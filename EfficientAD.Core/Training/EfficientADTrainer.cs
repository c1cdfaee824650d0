using System.Diagnostics;
using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Data;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>Trains a model on a category's good images (paper, section 3): teacher statistics, optimiser steps, then
/// map quantiles and threshold on images that were set aside. The test set is never looked at.</summary>
public sealed class EfficientADTrainer : IDisposable
{
    private const int RenderedPenaltyImages = 512;
    private const int FastOverPlain = 2;  // times as fast as layer by layer, or more
    private const int FeaturesShare = 4;  // of a device's free memory one in so many parts

    private readonly TrainingOptions _options;
    private readonly Recipe _recipe;
    private readonly TrainingSplit _split;
    private readonly StepDraws _draws;
    private readonly IBackend _backend;
    private readonly bool _ownsBackend;
    private readonly DetectionNetworks _networks;
    private readonly ImageSet _images, _imagesAside;
    private readonly ImageSet? _penaltyImages;
    private readonly FeatureCache _features;
    private readonly NetworkInput _input;
    private readonly EarlyStop? _earlyStop;
    private readonly string _teacherOrigin, _dataHash, _dataName, _fingerprint;

    /// <param name="backend">What computes, in place of the options' device: a backend in a context of the caller's,
    /// for instance. It stays the caller's and must outlive the trainer.</param>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <exception cref="DatasetException">There are too few images.</exception>
    /// <exception cref="ModelFormatException">The teacher's file does not fit.</exception>
    /// <exception cref="NotSupportedException">The options name a CUDA device that cannot be used.</exception>
    public EfficientADTrainer(AnomalyDataset dataset, TrainingOptions options, IBackend? backend = null)
    {
        options.Validate();
        (_options, _recipe, _dataName) = (options, options.Recipe, dataset.Name);
        _split = dataset.SplitTrainValidation(options.Seed);
        if (options.PooledHead && _split.Train.Count < 2)
        {
            throw new DatasetException(
                $"{dataset.Root} leaves {_split.Train.Count} image to learn from; a head on pooled features needs at " +
                "least 2. Add good images, or train without it.");
        }

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
        (_images, _imagesAside) = (ImageSet.Of(_split.Train, budget), ImageSet.Of(_split.Validation, budget));
        long room = _backend is CudaBackend cuda ? cuda.Stream.Context.QueryFreeBytes() / FeaturesShare : budget;
        _features = new FeatureCache(_split.Train.Count, room);
        _fingerprint = $"{options.Describe()}, teacher {_teacherOrigin}, data {_dataHash[..16]}";
        if (!_recipe.Penalty) return;
        _penaltyImages = options.PenaltyPaths.Count > 0
            ? ImageSet.Of(options.PenaltyPaths, budget)
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
    /// <exception cref="ImageFormatException">A good image cannot be read: told before the first step.</exception>
    public ModelInformation Run(IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        _networks.Student.Initialize(_draws.StudentWeights);
        if (_recipe.WarmStart)
        {
            _networks.Student.CopyHiddenLayersFrom(_networks.Teacher);
            _networks.Autoencoder.InitializeKeepingVariance(_draws.AutoencoderWeights);
        }
        else
        {
            _networks.Autoencoder.Initialize(_draws.AutoencoderWeights);
        }

        var schedule = new StepSchedule(_options, ImagesBehind);
        _imagesAside.ReadAll(cancellation);
        if (_options.Resume)
        {
            _images.ReadAll(cancellation);
            (int step, int? steps) = TrainingCheckpoint.Load(CheckpointPath, _fingerprint, _networks, _earlyStop);
            schedule.ResumeAt(step, steps);
        }
        else
        {
            TeacherStatistics.Find(_networks, _input, _images, _features, progress, cancellation);
        }

        TakeSteps(schedule, progress, cancellation);
        SaveCheckpoint(schedule);  // the steps are not lost if what follows fails
        return Finish(schedule.Steps, progress, cancellation);
    }

    public void Dispose()
    {
        _features.Dispose();
        _networks.Dispose();
        if (_ownsBackend) _backend.Dispose();
    }

    /// <summary>Images whose maps or features are computed behind the steps.</summary>
    private int ImagesBehind =>
        _imagesAside.Count + ImagesSeen / FastOverPlain
        + (_recipe.WeighsPlaces ? Math.Min(_images.Count, PlaceWeightFit.MostImages) : 0)
        + (_options.PooledHead ? _images.Count + _imagesAside.Count + ImagesSeen : 0);

    /// <summary>Images trained on whose scores the threshold may not lie below.</summary>
    private int ImagesSeen =>
        Math.Min(_images.Count, Detection.Calibration.ImagesToResolve(_options.FalsePositiveRate));

    private void TakeSteps(StepSchedule schedule, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        using var step = new TrainingStep(
            _networks, _recipe, _draws, _options.InputHeight, _options.InputWidth, _options.Fit);
        using HeldBackLoss? heldBack =
            _earlyStop is null ? null : new HeldBackLoss(_networks, _recipe, _input, _imagesAside);
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
            StepLosses losses = step.Run(schedule.Step, learningRate, _images, _penaltyImages, _features);
            RequireFinite(losses);
            if (_earlyStop is not null && _earlyStop.IsDue(schedule.Step, schedule.Steps))
            {
                _earlyStop.Add(schedule.Step, schedule.Steps, heldBack!.Measure(), learningRate);
                if (_earlyStop.End is { } end) schedule.EndAt(end);
            }

            progress?.Report(new TrainingProgress(
                TrainingPhase.Steps, schedule.Step + 1, schedule.Steps, losses, learningRate));
            if (sinceCheckpoint.Elapsed < _options.CheckpointInterval) continue;
            RequireFinite(step.LastLosses);
            SaveCheckpoint(schedule, finished: 1);
            sinceCheckpoint.Restart();
        }

        RequireFinite(step.LastLosses);  // a device's losses come a few steps late

        void RequireFinite(StepLosses losses)
        {
            if (float.IsFinite(losses.Total)) return;
            throw new TrainingDivergedException(schedule.Step, losses, CheckpointPath);
        }
    }

    private void SaveCheckpoint(StepSchedule schedule, int finished = 0) => TrainingCheckpoint.Save(
        CheckpointPath, _fingerprint, schedule.Step + finished, schedule.KnownSteps, _networks, _earlyStop);

    /// <summary>Map quantiles and threshold on the images set aside (paper, section 3.4), then the model's
    /// file.</summary>
    private ModelInformation Finish(
        int steps, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        using var trained = new DetectionNetworks(_backend, _options.Size, _recipe.Padded, trainable: false);
        trained.CopyFrom(_networks);
        ImageSet seen = _images.Some(ImagesSeen);
        MapCalibration maps = MapCalibration.Find(
            trained, _recipe, _input, _images, _imagesAside, seen, progress, cancellation);
        (int height, int width) = ImageSet.CommonSize(_images, _imagesAside);
        Detection.PooledDistribution? pooled = null;
        Detection.PooledScaling? pooledScaling = null;
        if (_options.PooledHead)
        {
            using var head = new PooledHeadFit(trained, _input);
            pooled = head.FindDistribution(_images);
            pooledScaling = head.FindScaling(pooled, _imagesAside, seen, maps);
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
            Scaling = maps.Scaling,
            Pooled = pooledScaling,
            AutoencoderExplains = maps.AutoencoderExplains,
            Calibration = Detection.Calibration.FromGoodScores(
                maps.Scores, _options.FalsePositiveRate, maps.SeenScores),
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
        ModelFile.Save(_options.ModelPath, information, trained, pooled, activations: null);
        File.Delete(CheckpointPath);
        return information;
    }

    private RgbImage RenderPenalty(int index) =>
        NaturalTexture.Render(_options.Seed, index, Math.Max(_options.InputHeight, _options.InputWidth));
}
