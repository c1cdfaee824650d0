using EfficientAD.Backends;
using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Networks.Quantization;

namespace EfficientAD.Training;

/// <summary>Finds what it takes to judge images, for networks that were trained elsewhere or whose images have changed:
/// teacher statistics where they are missing, map quantiles and the threshold. No weight is changed.</summary>
public sealed class ModelCalibrator : IDisposable
{
    // Good images that numbers of 8 bits are compared on: each takes a second or so.
    private const int MostCompared = 64;

    private readonly CalibrationOptions _options;
    private readonly AnomalyDataset _dataset;
    private readonly IBackend _backend;
    private readonly UncalibratedInformation _outline;
    private readonly ModelInformation? _model;
    private readonly DetectionNetworks _networks;
    private readonly PooledDistribution? _distribution;
    private readonly ImageSet _statistics, _aside, _seen;

    /// <exception cref="ModelFormatException">The file is no model, or is damaged.</exception>
    /// <exception cref="DatasetException">There are too few images for the split.</exception>
    /// <exception cref="ArgumentException">The split is that of a training, but the networks were trained
    /// elsewhere.</exception>
    public ModelCalibrator(AnomalyDataset dataset, CalibrationOptions options)
    {
        (_dataset, _options) = (dataset, options);
        bool isUncalibrated;
        using (SafetensorsFile file = SafetensorsFile.Open(options.ModelPath))
            isUncalibrated = UncalibratedModel.Is(file);
        using UncalibratedModel? uncalibrated = isUncalibrated ? UncalibratedModel.Open(options.ModelPath) : null;
        using ModelFile? model = isUncalibrated ? null : ModelFile.Open(options.ModelPath);
        _model = model?.Information;
        _outline = uncalibrated?.Information ?? Outline(_model!);

        _backend = options.Device.Open(options.Cpu, options.Cuda);
        _networks = uncalibrated?.Load(_backend) ?? model!.Load(_backend);
        _distribution = model?.LoadPooled();

        NeedsStatistics = uncalibrated is { HasStatistics: false };
        Split = options.Split ?? (
            NeedsStatistics && _outline.Recipe == "reference" ? CalibrationSplit.Reference
            : IsTrainedOn(dataset) ? CalibrationSplit.Training
            : CalibrationSplit.All);
        Images = Split switch
        {
            CalibrationSplit.Reference => dataset.SplitAsReference(),
            CalibrationSplit.Training => SplitOfTraining(dataset),
            _ => new TrainingSplit(dataset.Train, dataset.Validation.Count > 0 ? dataset.Validation : dataset.Train),
        };
        (_statistics, _aside) = (ImageSet.Of(Images.Train, budget: 0), ImageSet.Of(Images.Validation, budget: 0));
        bool isAllAside = ReferenceEquals(Images.Train, Images.Validation);
        _seen = _statistics.Some(isAllAside ? 0 : Calibration.ImagesToResolve(options.FalsePositiveRate));
    }

    /// <summary>Whether the file lacks the teacher's mean and standard deviation, so that they are computed
    /// too.</summary>
    public bool NeedsStatistics { get; }

    public CalibrationSplit Split { get; }

    /// <summary>The images for teacher statistics (Train) and for quantiles and threshold (Validation).</summary>
    public TrainingSplit Images { get; }

    /// <summary>Calibrates and writes the model.</summary>
    /// <exception cref="InvalidOperationException">The images or the networks' maps don't vary.</exception>
    /// <exception cref="ImageFormatException">An image cannot be read.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing was written.</exception>
    public ModelInformation Run(IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        var input = new NetworkInput(
            _backend, _model?.Fit ?? ImageFit.Squash, _outline.InputHeight, _outline.InputWidth);
        if (NeedsStatistics)
        {
            TeacherStatistics.Find(_networks, input, _statistics, kept: null, progress, cancellation);
        }

        MapCalibration maps = MapCalibration.Find(
            _networks, TrainedBy(), input, _statistics, _aside, _seen, progress, cancellation);
        PooledScaling? pooled = _distribution is null ? null : ScaleHead(_distribution, input, maps);
        ModelInformation information = Inform(
            maps, pooled, Calibration.FromGoodScores(maps.Scores, _options.FalsePositiveRate, maps.SeenScores));
        HiddenActivations? activations = null;
        ImageSet compared = _aside.Some(_options.EightBits ? MostCompared : 0);
        if (compared.Count > 0
            && EightBitCalibration.Run(_networks, information, compared, _options.Cpu, cancellation) is { } precision)
            (activations, information, Precisions) = (precision.Activations, precision.Information, precision.Reports);
        ModelFile.Save(_options.OutputPath, information, _networks, _distribution, activations);
        return information;
    }

    /// <summary>What numbers of 8 bits do to the model; empty before <see cref="Run"/>, for padded networks, and where
    /// the options do not ask for it.</summary>
    public IReadOnlyList<PrecisionReport> Precisions { get; private set; } = [];

    public void Dispose()
    {
        _networks.Dispose();
        _backend.Dispose();
    }

    private PooledScaling ScaleHead(PooledDistribution distribution, NetworkInput input, MapCalibration maps)
    {
        using var head = new PooledHeadFit(_networks, input);
        return head.FindScaling(distribution, _aside, _seen, maps);
    }

    /// <summary>The recipe as far as the maps' scales depend on it. What a model's training left out shows in its own
    /// scales.</summary>
    private Recipe TrainedBy()
    {
        Recipe named = Recipe.Published.FirstOrDefault(recipe => recipe.Name == _outline.Recipe) ?? Recipe.Reference;
        Recipe recipe = named with { MapOrder = _outline.MapOrder, WeighsPlaces = _options.WeighsPlaces };
        if (_model is not { Scaling: var scaling }) return recipe;
        return recipe with
        {
            Autoencoder = scaling.GlobalScale > 0,
            SeparateMapScales = scaling.LocalLow != scaling.GlobalLow,
        };
    }

    /// <summary>Whether the model was trained on these very images, of which it then set some aside.</summary>
    private bool IsTrainedOn(AnomalyDataset dataset)
    {
        if (_model is null || (dataset.Train.Count < 2 && dataset.Validation.Count == 0)) return false;
        TrainingSplit split = dataset.SplitTrainValidation(_model.Seed);
        return split.Train.Count == _model.TrainingImages
            && DatasetHash.Compute(dataset.Root, split.Train.Concat(split.Validation)) == _model.DataHash;
    }

    private TrainingSplit SplitOfTraining(AnomalyDataset dataset) => _model is { TrainingImages: > 0 }
        ? dataset.SplitTrainValidation(_model.Seed)
        : throw new ArgumentException(
            $"{_options.ModelPath} was trained by another program, whose split is not known. Split as reference or " +
            "all.");

    private ModelInformation Inform(MapCalibration maps, PooledScaling? pooled, Calibration calibration)
    {
        (int height, int width) = ImageSet.CommonSize(_statistics, _aside);
        string deviation = $"calibrated on {Images.Validation.Count} images of {_dataset.Name}";
        if (_options.WeighsPlaces) deviation += $"; {TrainingOptions.PlacesWeighed}";
        if (_model is not null)
        {
            return _model with
            {
                Pooled = pooled,
                Int8 = null,
                Fp8 = null,
                Scaling = maps.Scaling,
                AutoencoderExplains = maps.AutoencoderExplains,
                Calibration = calibration,
                ImageHeight = height,
                ImageWidth = width,
                ValidationImages = Images.Validation.Count,
                Deviations = string.Join("; ", [.. StillTrue(_model.Deviations), deviation]),
            };
        }

        return new ModelInformation
        {
            Size = _outline.Size,
            Padded = _outline.Padded,
            MapOrder = _outline.MapOrder,
            InputHeight = _outline.InputHeight,
            InputWidth = _outline.InputWidth,
            ImageHeight = height,
            ImageWidth = width,
            Scaling = maps.Scaling,
            AutoencoderExplains = maps.AutoencoderExplains,
            Calibration = calibration,
            Recipe = _outline.Recipe,
            Deviations = $"trained by another program; {deviation}",
            Seed = 0,
            Steps = 0,
            Data = _dataset.Name,
            DataHash = DatasetHash.Compute(_dataset.Root, Images.Train.Concat(Images.Validation).Distinct()),
            TrainingImages = Images.Train.Count,
            ValidationImages = Images.Validation.Count,
            Teacher = _outline.Origin,
            Penalty = "unknown",
        };
    }

    /// <summary>What a model says of how it differs from its recipe, less what finding the places' weights
    /// changes.</summary>
    private IEnumerable<string> StillTrue(string deviations) =>
        deviations.Split("; ", StringSplitOptions.RemoveEmptyEntries).Where(deviation =>
            !_options.WeighsPlaces || deviation is not (TrainingOptions.PlacesWeighed or TrainingOptions.PlacesAlike));

    private static UncalibratedInformation Outline(ModelInformation model) => new()
    {
        Size = model.Size,
        Padded = model.Padded,
        MapOrder = model.MapOrder,
        InputHeight = model.InputHeight,
        InputWidth = model.InputWidth,
        Recipe = model.Recipe,
        Origin = model.Teacher,
        Missing = "",
    };
}
