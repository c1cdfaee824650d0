using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Detection;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Models.Import;

/// <summary>Makes a model of ours, or a teacher, of files that other programs wrote: see docs/import.md for the
/// list.</summary>
public sealed class ModelImporter : IDisposable
{
    private const int InputSize = Autoencoder.InputSize;
    private const string Statistics = "teacher statistics", Quantiles = "map quantiles", Threshold = "threshold";

    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 1 });
    private readonly ImportSources _sources;
    private readonly List<string> _notes = [], _missing = [];
    private readonly FoundNetwork[] _networks;
    private readonly FoundNetwork _teacher;

    /// <summary>Opens the files and finds the networks in them.</summary>
    /// <param name="paths">safetensors, PyTorch (.pth, .pt, .ckpt) and ONNX files, and anomalib's
    /// metadata.json.</param>
    /// <exception cref="ModelFormatException">A file is damaged, hostile or of another format, or networks are
    /// missing.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public ModelImporter(IReadOnlyList<string> paths)
    {
        _sources = new ImportSources(paths);
        try
        {
            if (_sources.Weights.FirstOrDefault(file => file.IsOurs) is { } own) throw IsOursAlready(own);
            FoundNetwork?[] found = [.. Enum.GetValues<NetworkRole>().Select(_sources.Network)];
            _networks = [.. found.OfType<FoundNetwork>()];
            if (_networks.Length == 0) throw NothingFound();
            bool isTeacherAlone = _networks is [{ Role: NetworkRole.Teacher }];
            if (_networks.Length < found.Length && !isTeacherAlone) throw SomeMissing();
            _teacher = found[0]!;
            if (!isTeacherAlone && found[1]!.Size != _teacher.Size)
                throw new ModelFormatException(
                    $"The teacher in {_teacher.File.Name} is {_teacher.Size}, the student in {found[1]!.File.Name} " +
                    $"{found[1]!.Size}. Name networks that were trained together.");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private PdnSize Size => _teacher.Size!.Value;

    private bool IsAnomalib => _networks.Any(network => network.Layout == NetworkLayout.AnomalibAutoencoder);

    private bool IsPadded => _sources.IsPadded ?? false;

    private string Origin =>
        string.Join(", ", _networks.Select(network => Path.GetFileName(network.File.Name)).Distinct());

    /// <summary>Writes the model, or what can be made of the files.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing, has another shape, or is not finite.</exception>
    public ImportedModel Save(string path)
    {
        if (_networks.Length == 1)
        {
            using var teacher = new PatchDescriptionNetwork(
                _backend, Size, PatchDescriptionNetwork.TeacherChannels, IsPadded, trainable: false);
            _teacher.Load(teacher, _backend);
            var writer = new SafetensorsWriter { Metadata = { ["origin"] = Origin } };
            NetworkWeights.Add(writer, _backend, "", teacher);
            writer.Save(path);
            return Describe(ImportedKind.Teacher, null);
        }

        CheckInputSize();
        if (IsAnomalib && _sources.IsPadded is null)
            _notes.Add(
                "The files don't say whether the networks pad their maps; that they don't, anomalib's default, is " +
                "assumed.");
        using var networks = new DetectionNetworks(_backend, Size, IsPadded, trainable: false);
        _teacher.Load(networks.Teacher, _backend);
        _networks[1].Load(networks.Student, _backend);
        _networks[2].Load(networks.Autoencoder, _backend);
        bool hasStatistics = ReadStatistic(networks.Mean, "mean_std.mean", ModelFile.MeanName)
            & ReadStatistic(networks.Deviation, "mean_std.std", ModelFile.DeviationName)
            && IsPositive(networks.Deviation);
        if (!hasStatistics) _missing.Add(Statistics);
        MapOrder order = ChooseMapOrder(out bool canUseQuantiles);
        MapScaling? scaling = canUseQuantiles ? ReadScaling() : null;
        Calibration? calibration = scaling is null ? null : ReadCalibration();
        if (scaling is null) _missing.Add(Quantiles);
        if (calibration is null) _missing.Add(Threshold);
        if (_missing.Count > 0)
        {
            UncalibratedModel.Save(path, Outline(order), networks, hasStatistics);
            return Describe(ImportedKind.Uncalibrated, null);
        }

        ModelInformation information = Inform(order, scaling!.Value, calibration!.Value);
        ModelFile.Save(path, information, networks);
        return Describe(ImportedKind.Model, information);
    }

    public void Dispose()
    {
        _sources.Dispose();
        _backend.Dispose();
    }

    /// <summary>anomalib's decoder resizes to other extents for other inputs; ours always sees 256 x 256.</summary>
    private void CheckInputSize()
    {
        if (_sources.InputSize() is { } size)
        {
            if (size is not (InputSize, InputSize))
            {
                throw new ModelFormatException(
                    $"{Origin} was trained on images of {size.Height} x {size.Width}, " +
                    "for which its autoencoder has other layers than ours, " +
                    $"which sees {InputSize} x {InputSize}. Train it with that size, or train here with --input.");
            }
        }
        else if (IsAnomalib)
        {
            _notes.Add(
                "The files don't say what images are resized to; " +
                $"{InputSize} x {InputSize}, anomalib's default, is assumed.");
        }
    }

    private MapOrder ChooseMapOrder(out bool canUseQuantiles)
    {
        canUseQuantiles = true;
        if (!IsAnomalib) return MapOrder.Reference;
        bool padsMaps = (_sources.Fact("pad_maps") as bool?) ?? true;
        if (!padsMaps) return MapOrder.Paper;  // resized without a border, then scaled: the paper's order
        if (IsPadded)
        {
            canUseQuantiles = false;
            _notes.Add("anomalib adds a border of zeros to the maps of padded networks too; ours have none there, so " +
                "its quantiles and threshold don't apply.");
        }

        return MapOrder.Anomalib;
    }

    /// <returns>Whether a tensor of one of these names exists.</returns>
    private bool ReadStatistic(Tensor destination, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (_sources.Tensor(name) is not { } found) continue;
            NetworkWeights.Load(found.File.Name, found.Tensor, destination, _backend);
            return true;
        }

        return false;
    }

    /// <summary>anomalib keeps zeros until they are computed.</summary>
    private bool IsPositive(Tensor deviation) => Array.TrueForAll(_backend.Download(deviation), value => value > 0);

    private MapScaling? ReadScaling()
    {
        float? localLow = _sources.Number("quantiles.qa_st"), localHigh = _sources.Number("quantiles.qb_st");
        float? globalLow = _sources.Number("quantiles.qa_ae"), globalHigh = _sources.Number("quantiles.qb_ae");
        if (localLow is null || localHigh is null || globalLow is null || globalHigh is null) return null;
        var scaling = new MapScaling(localLow.Value, localHigh.Value, globalLow.Value, globalHigh.Value);
        return scaling.IsValid ? scaling : null;
    }

    /// <summary>anomalib shows a score s as (s - threshold) / (max - min) + 0.5; a quarter of that range gives our
    /// logistic curve the same slope at the threshold.</summary>
    private Calibration? ReadCalibration()
    {
        // In turn: version 2, checkpoints of versions 0 and 1, their exports.
        float? threshold = _sources.Number(
            "post_processor._image_threshold", "post_processor._pixel_threshold", "image_threshold.value",
            "metadata.image_threshold");
        float? low = ReadBound("min"), high = ReadBound("max");
        float? scale = (high - low ?? _sources.Number("image_range")) / 4;
        // Two finite bounds can be too far apart, or too near.
        if (threshold is null || scale is not (> 0 and < float.PositiveInfinity)) return null;
        _notes.Add("The threshold is anomalib's own: chosen for the best F1 on its validation images, anomalous ones " +
            "among them unless it was told otherwise.");
        return new Calibration(threshold.Value, scale.Value, FalsePositiveRate: 0, Images: 0);
    }

    private float? ReadBound(string bound) => _sources.Number(
        $"post_processor.image_{bound}", $"normalization_metrics.pred_scores.{bound}", $"normalization_metrics.{bound}",
        $"metadata.pred_scores.{bound}", $"metadata.{bound}");

    private UncalibratedInformation Outline(MapOrder order) => new()
    {
        Size = Size,
        Padded = IsPadded,
        MapOrder = order,
        InputHeight = InputSize,
        InputWidth = InputSize,
        Recipe = IsAnomalib ? "anomalib" : "reference",
        Origin = $"imported from {Origin}",
        Missing = string.Join(", ", _missing),
    };

    private ModelInformation Inform(MapOrder order, MapScaling scaling, Calibration calibration) => new()
    {
        Size = Size,
        Padded = IsPadded,
        MapOrder = order,
        InputHeight = InputSize,
        InputWidth = InputSize,
        ImageHeight = 0,
        ImageWidth = 0,
        Scaling = scaling,
        Calibration = calibration,
        Recipe = IsAnomalib ? "anomalib" : "reference",
        Deviations = $"trained and calibrated by another program; imported from {Origin}",
        Seed = 0,
        Steps = _sources.Fact("global_step") is long and >= 0 and <= int.MaxValue and var steps ? (int)steps : 0,
        Data = "unknown",
        DataHash = "",
        TrainingImages = 0,
        ValidationImages = 0,
        Teacher = $"imported from {Origin}",
        Penalty = "unknown",
    };

    private ImportedModel Describe(ImportedKind kind, ModelInformation? information) => new()
    {
        Kind = kind,
        Size = Size,
        Padded = IsPadded,
        Networks = [.. _networks.Select(network => new ImportedNetwork(
            network.Role, network.File.Name, network.File.Format, network.Prefix, network.Layout.Description))],
        Missing = [.. _missing],
        Notes = [.. _notes],
        Information = information,
    };

    /// <summary>An import would drop what the model was calibrated to.</summary>
    private static ModelFormatException IsOursAlready(WeightsFile file) => new(file.IsUncalibrated
        ? $"{file.Name} was imported already. Complete it: " +
            $"efficientad calibrate --model {file.Name} --data DIR --out FILE"
        : $"{file.Name} is a model of efficientad already: use it as it is, or find its thresholds anew with " +
            $"'efficientad calibrate --model {file.Name}'.");

    private ModelFormatException NothingFound() => new(
        $"{string.Join(", ", _sources.Weights.Select(file => file.Name).DefaultIfEmpty("The JSON file"))} " +
        "holds no network of EfficientAD. " +
        string.Join(" ", _sources.Weights.Select(file => file.Inventory())));

    private ModelFormatException SomeMissing()
    {
        string found = string.Join(" and ", _networks.Select(network => $"the {NetworkFinder.Describe(network.Role)}"));
        var roles = Enum.GetValues<NetworkRole>().Except(_networks.Select(network => network.Role));
        string absent = string.Join(" and ", roles.Select(role => $"the {NetworkFinder.Describe(role)}"));
        return new ModelFormatException(
            $"{Origin} has {found} but not {absent}. Name its file too: a model needs all three networks.");
    }
}
