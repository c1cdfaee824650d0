using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Metrics;

namespace EfficientAD.Evaluation;

/// <summary>Gathers a detector's results on a test set and computes the metrics.</summary>
/// <remarks>Maps and masks wait in a temporary file (4 bytes a pixel, 1 more for each mask), not in memory. What is
/// wrong with single files becomes a warning: an invalid image is left out of every metric, an image whose masks are
/// missing or do not fit is left out of the pixel metrics. Not thread-safe.</remarks>
public sealed class Evaluator : IDisposable
{
    private const int DrawnPoints = 301;

    private readonly AnomalyDataset _dataset;
    private readonly Func<string, GreyImage> _readMask;
    private readonly RegionSaturation? _saturation;
    private readonly MapStore _store;
    private readonly List<ImageEvaluation> _images = [];
    private readonly List<string> _warnings = [];
    private readonly string _temporaryFolder;
    private Evaluator? _local, _global;

    /// <param name="dataset">Where the images come from; for MVTec LOCO AD its defects_config.json is read.</param>
    /// <param name="readMask">Reads a mask file, as ImageReader.ReadMask does.</param>
    /// <param name="temporaryFolder">Where the temporary file goes, an existing folder.</param>
    /// <exception cref="DatasetException">The defects_config.json is broken.</exception>
    /// <exception cref="IOException">The temporary file cannot be created.</exception>
    public Evaluator(AnomalyDataset dataset, Func<string, GreyImage> readMask, string temporaryFolder)
    {
        (_dataset, _readMask, _temporaryFolder) = (dataset, readMask, temporaryFolder);
        if (dataset.Layout == DatasetLayout.MvtecLoco)
        {
            IReadOnlyList<DefectConfiguration> defects = DefectConfiguration.Read(dataset.Root);
            if (defects.Count > 0) _saturation = new RegionSaturation(defects);
            else _warnings.Add("There is no AU-sPRO: defects_config.json is missing.");
        }
        _store = new MapStore(temporaryFolder);
    }

    /// <summary>Names of groups of kinds of defects, by kind: each group has metrics of its own against all good
    /// images.</summary>
    public IReadOnlyDictionary<string, string> Groups { get; init; } = new Dictionary<string, string>();

    /// <summary>Adds one image with what each map says of it alone, which has metrics of its own then.</summary>
    public ImageEvaluation AddBranches(TestSample sample, BranchResults results)
    {
        List<GreyImage> masks = ReadMasks(sample, results.Both);
        (_local ??= Alone()).Add(sample, results.Local, masks);
        (_global ??= Alone()).Add(sample, results.Global, masks);
        return Add(sample, results.Both, masks);
    }

    /// <summary>Adds one image. Its map may be reused by the caller afterwards.</summary>
    /// <exception cref="ArgumentException">The result is not invalid, but its score or map is not finite.</exception>
    /// <exception cref="IOException">The temporary file cannot grow.</exception>
    public ImageEvaluation Add(TestSample sample, DetectionResult result) =>
        Add(sample, result, ReadMasks(sample, result));

    /// <summary>The map and the masks of an image of this evaluation; null if it has no map.</summary>
    public PixelSample? Read(ImageEvaluation image) => image.Map is null ? null : _store.Read(image.Map);

    /// <summary>Computes all metrics over what was added so far.</summary>
    public EvaluationResult Complete()
    {
        ImageEvaluation[] valid = [.. _images.Where(image => image.Verdict != Verdict.Invalid)];
        ImageEvaluation[] good = [.. valid.Where(image => image.IsGood)];
        (MetricSet overall, RocCurve? roc, RegionOverlapCurve? curve) = Compute(valid);

        return new EvaluationResult(
            _dataset.Name, _dataset.Layout == DatasetLayout.MvtecLoco, [.. _images], overall,
            Each(image => image.Defect), roc,
            curve?.Sample(0.3, DrawnPoints) ?? [], [.. _warnings, .. SetWarnings(valid)])
        {
            PerGroup = Each(image => Groups.GetValueOrDefault(image.Defect)),
            Local = _local?.Complete(),
            Global = _global?.Complete(),
        };

        SortedDictionary<string, MetricSet> Each(Func<ImageEvaluation, string?> name)
        {
            var metrics = new SortedDictionary<string, MetricSet>(StringComparer.Ordinal);
            foreach (var set in valid.Where(image => !image.IsGood && name(image) is not null).GroupBy(name))
            {
                ImageEvaluation[] subset = [.. good, .. set];
                metrics[set.Key!] = subset.Length == valid.Length ? overall : Compute(subset).Metrics;
            }

            return metrics;
        }
    }

    public void Dispose()
    {
        _store.Dispose();
        _local?.Dispose();
        _global?.Dispose();
    }

    private Evaluator Alone() => new(_dataset, _readMask, _temporaryFolder) { Groups = Groups };

    private ImageEvaluation Add(TestSample sample, DetectionResult result, List<GreyImage> masks)
    {
        string name = NameOf(sample);
        var image = new ImageEvaluation(
            sample.Path, name, sample.Defect, sample.IsGood,
            result.Verdict, result.Score, result.CalibratedScore, result.Reason);
        if (result.Verdict != Verdict.Invalid)
        {
            if (!float.IsFinite(result.Score))
                throw new ArgumentException($"{name} has the score {result.Score} but is not invalid.", nameof(result));
            if (result.Map is not null)
                image = Store(image, result.Map, masks);
        }
        _images.Add(image);
        return image;
    }

    private string NameOf(TestSample sample) =>
        Path.GetRelativePath(_dataset.Root, sample.Path).Replace(Path.DirectorySeparatorChar, '/');

    private ImageEvaluation Store(ImageEvaluation image, AnomalyMap map, List<GreyImage> masks)
    {
        int index = map.Values.AsSpan().IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
        if (index >= 0)
            throw new ArgumentException(
                $"The map of {image.Name} holds {map.Values[index]} but the image is not invalid.", nameof(map));
        return image with { Map = _store.Add(map, masks), HasPixelTruth = image.IsGood || masks.Count > 0 };
    }

    /// <summary>The masks of an image that has a map; none, with a warning, if they cannot be used.</summary>
    private List<GreyImage> ReadMasks(TestSample sample, DetectionResult result)
    {
        // Whatever lies beside a good image: it has no defects.
        if (sample.IsGood || result.Verdict == Verdict.Invalid || result.Map is not { } map) return [];
        var masks = new List<GreyImage>();
        foreach (string path in sample.MaskPaths)
        {
            try
            {
                GreyImage mask = _readMask(path);
                if ((mask.Width, mask.Height) != (map.Width, map.Height))
                    throw new InvalidDataException(
                        $"The mask is {mask.Width} x {mask.Height} but the image {map.Width} x {map.Height}.");
                _saturation?.Area(mask);
                masks.Add(mask);
            }
            catch (Exception e) when (
                e is ImageFormatException or InvalidDataException or IOException or UnauthorizedAccessException)
            {
                string mask = Path.GetFileName(path);
                _warnings.Add(
                    $"{NameOf(sample)} is left out of the pixel metrics because of its mask {mask}: {e.Message}");
                return [];
            }
        }
        return masks;
    }

    private (MetricSet Metrics, RocCurve? Roc, RegionOverlapCurve? RegionOverlap) Compute(ImageEvaluation[] images)
    {
        bool[] anomalous = [.. images.Select(image => !image.IsGood)];
        RocCurve? roc = RocCurve.Compute([.. images.Select(image => image.Score)], anomalous);
        PixelMetrics? pixels = PixelMetrics.Compute(
            images.Where(image => image.HasPixelTruth).Select(image => _store.Read(image.Map!)), _saturation);

        int anomalousCount = anomalous.Count(isAnomalous => isAnomalous);
        var metrics = new MetricSet(
            images.Length - anomalousCount,
            anomalousCount,
            roc?.AreaUnderCurve,
            roc is null ? null : F1Maximum.Compute(roc),
            pixels?.Auroc,
            pixels?.RegionOverlap.AreaUnder(0.3),
            pixels?.RegionOverlap.AreaUnder(0.05),
            pixels?.SaturatedRegionOverlap?.AreaUnder(0.05));
        return (metrics, roc, pixels?.RegionOverlap);
    }

    private IEnumerable<string> SetWarnings(ImageEvaluation[] valid)
    {
        ImageEvaluation[] invalid = [.. _images.Where(image => image.Verdict == Verdict.Invalid)];
        if (invalid.Length > 0)
            yield return $"{invalid.Length} of {_images.Count} images could not be judged and count in no metric. "
                + $"The first is {invalid[0].Name}: {invalid[0].Reason}";

        ImageEvaluation[] withMap = [.. valid.Where(image => image.Map is not null)];
        if (withMap.Length is > 0 && withMap.Length < valid.Length)
            yield return $"{valid.Length - withMap.Length} of {valid.Length} images have no map "
                + "and are left out of the pixel metrics.";

        ImageEvaluation[] untrue = [.. withMap.Where(image => !image.HasPixelTruth)];
        if (untrue.Length > 0 && withMap.Any(image => !image.IsGood && image.HasPixelTruth))
            yield return $"{untrue.Length} anomalous images have no usable mask and are left out of the pixel metrics. "
                + $"The first is {untrue[0].Name}.";
    }
}
