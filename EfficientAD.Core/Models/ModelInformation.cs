using System.Globalization;
using System.Reflection;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;

namespace EfficientAD.Models;

/// <summary>Everything a model file says beside its tensors; stored as the file's metadata.</summary>
public sealed record ModelInformation
{
    /// <summary>The metadata entry that tells a model from another safetensors file.</summary>
    public const string FormatKey = "efficientad.format";

    internal const string FormatVersion = "1";

    private const string PooledKey = "pooled_score_mean";
    private const string FitKey = "image_fit";  // missing in files of the first version, which knew squashing alone
    private const string ExplainsKey = "autoencoder_explains";

    public required PdnSize Size { get; init; }

    /// <summary>Whether the patch description networks are padded.</summary>
    public required bool Padded { get; init; }

    public required MapOrder MapOrder { get; init; }

    /// <summary>How images become the networks' input.</summary>
    public ImageFit Fit { get; init; }

    /// <summary>Height of the networks' input in pixels; at least 33.</summary>
    public required int InputHeight { get; init; }

    /// <summary>Width of the networks' input in pixels; at least 33.</summary>
    public required int InputWidth { get; init; }

    /// <summary>Height of the training images in pixels; 0 where they differed.</summary>
    public required int ImageHeight { get; init; }

    /// <summary>Width of the training images in pixels; 0 where they differed.</summary>
    public required int ImageWidth { get; init; }

    public required MapScaling Scaling { get; init; }

    /// <summary>Threshold and scale of scores; no images where another program chose the threshold.</summary>
    public required Calibration Calibration { get; init; }

    /// <summary>How the head on pooled features adds to the score; null where there is none.</summary>
    public PooledScaling? Pooled { get; init; }

    /// <summary>Share of the teacher's features that the autoencoder explains on good images set aside, from 0.01 to 1;
    /// null where that was not looked at. The less, the less the model sees that no single patch shows.</summary>
    public float? AutoencoderExplains { get; init; }

    /// <summary>What detection in 8-bit integers does to good images; null where that was not looked at.</summary>
    public PrecisionParity? Int8 { get; init; }

    /// <summary>The same of 8-bit floats.</summary>
    public PrecisionParity? Fp8 { get; init; }

    public required string Recipe { get; init; }

    /// <summary>What differs from the recipe, in words; empty where nothing does.</summary>
    public required string Deviations { get; init; }

    public required ulong Seed { get; init; }

    public required int Steps { get; init; }

    /// <summary>Name of the category trained on.</summary>
    public required string Data { get; init; }

    /// <summary>SHA-256 over names and contents of the training images.</summary>
    public required string DataHash { get; init; }

    /// <summary>How many images it learnt from; 0 where another program trained it.</summary>
    public required int TrainingImages { get; init; }

    public required int ValidationImages { get; init; }

    /// <summary>Where the teacher came from.</summary>
    public required string Teacher { get; init; }

    /// <summary>Which images the penalty used.</summary>
    public required string Penalty { get; init; }

    public string LibraryVersion { get; init; } =
        typeof(ModelInformation).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion ?? "unknown";

    internal void WriteTo(Dictionary<string, string> metadata)
    {
        metadata[FormatKey] = FormatVersion;
        foreach ((string key, string value) in Pairs()) metadata[key] = value;
    }

    /// <exception cref="ModelFormatException">A value is missing or out of range.</exception>
    internal static ModelInformation ReadFrom(string file, IReadOnlyDictionary<string, string> metadata)
    {
        var reader = new MetadataReader(file, metadata);
        CheckFormat(file, reader);
        if (metadata.TryGetValue(UncalibratedModel.MissingKey, out string? missing))
        {
            throw new ModelFormatException(
                $"{file} is not calibrated: it lacks {SafetensorsHeader.Printable(missing)}. " +
                $"Complete it: efficientad calibrate --model {file} --data DIR --out FILE");
        }

        return new ModelInformation
        {
            Size = reader.Name<PdnSize>("network"),
            Padded = reader.Name<Padding>("padding") == Padding.Padded,
            MapOrder = reader.Name<MapOrder>("map_order"),
            Fit = metadata.ContainsKey(FitKey) ? reader.Name<ImageFit>(FitKey) : ImageFit.Squash,
            InputHeight = reader.Integer("input_height", 33, 4096),
            InputWidth = reader.Integer("input_width", 33, 4096),
            ImageHeight = reader.Integer("image_height", 0, 1 << 20),
            ImageWidth = reader.Integer("image_width", 0, 1 << 20),
            Scaling = new MapScaling(
                reader.Number("qa_st"), reader.Number("qb_st"), reader.Number("qa_ae"), reader.Number("qb_ae")),
            Calibration = new Calibration(
                reader.Number("threshold"), reader.Number("score_scale"), reader.Number("false_positive_rate"),
                reader.Integer("threshold_images", 0, int.MaxValue)),
            Pooled = metadata.ContainsKey(PooledKey)
                ? new PooledScaling(
                    reader.Number(PooledKey), reader.Number("pooled_score_std"), reader.Number("pooled_distance_mean"),
                    reader.Number("pooled_distance_std"))
                : null,
            AutoencoderExplains = metadata.ContainsKey(ExplainsKey) ? reader.Number(ExplainsKey) : null,
            Int8 = ReadParity("int8"),
            Fp8 = ReadParity("fp8"),
            Recipe = reader.Text("recipe"),
            Deviations = reader.Text("deviations"),
            Seed = reader.Unsigned("seed"),
            Steps = reader.Integer("steps", 0, int.MaxValue),
            Data = reader.Text("data"),
            DataHash = reader.Text("data_sha256"),
            TrainingImages = reader.Integer("training_images", 0, int.MaxValue),
            ValidationImages = reader.Integer("validation_images", 0, int.MaxValue),
            Teacher = reader.Text("teacher"),
            Penalty = reader.Text("penalty"),
            LibraryVersion = reader.Text("library_version"),
        };

        // Missing in files of the first versions.
        PrecisionParity? ReadParity(string precision) => metadata.ContainsKey($"{precision}_images")
            ? new PrecisionParity(
                reader.Integer($"{precision}_images", 1, int.MaxValue), reader.Number($"{precision}_score_shift"),
                reader.Number($"{precision}_map_shift"))
            : null;
    }

    internal enum Padding { Unpadded, Padded }

    internal static string PaddingName(bool padded) => (padded ? Padding.Padded : Padding.Unpadded).ToString();

    internal static void CheckFormat(string file, MetadataReader reader)
    {
        string format = reader.Text(FormatKey);
        if (format != FormatVersion)
        {
            throw new ModelFormatException(
                $"{file} has format {format}; this version reads format {FormatVersion}. Use a newer efficientad.");
        }
    }

    /// <summary>Key and value of every entry, as they stand in the file.</summary>
    public IEnumerable<(string Key, string Value)> Pairs()
    {
        yield return ("network", Size.ToString());
        yield return ("padding", PaddingName(Padded));
        yield return ("map_order", MapOrder.ToString());
        yield return (FitKey, Fit.ToString());
        yield return ("input_height", Text(InputHeight));
        yield return ("input_width", Text(InputWidth));
        yield return ("image_height", Text(ImageHeight));
        yield return ("image_width", Text(ImageWidth));
        yield return ("qa_st", Text(Scaling.LocalLow));
        yield return ("qb_st", Text(Scaling.LocalHigh));
        yield return ("qa_ae", Text(Scaling.GlobalLow));
        yield return ("qb_ae", Text(Scaling.GlobalHigh));
        yield return ("threshold", Text(Calibration.Threshold));
        yield return ("score_scale", Text(Calibration.Scale));
        yield return ("false_positive_rate", Text(Calibration.FalsePositiveRate));
        yield return ("threshold_images", Text(Calibration.Images));
        if (Pooled is { } pooled)
        {
            yield return (PooledKey, Text(pooled.ScoreMean));
            yield return ("pooled_score_std", Text(pooled.ScoreDeviation));
            yield return ("pooled_distance_mean", Text(pooled.DistanceMean));
            yield return ("pooled_distance_std", Text(pooled.DistanceDeviation));
        }

        if (AutoencoderExplains is { } explained) yield return (ExplainsKey, Text(explained));
        foreach ((string precision, PrecisionParity? parity) in new[] { ("int8", Int8), ("fp8", Fp8) })
        {
            if (parity is not { } found) continue;
            yield return ($"{precision}_images", Text(found.Images));
            yield return ($"{precision}_score_shift", Text(found.ScoreShift));
            yield return ($"{precision}_map_shift", Text(found.MapShift));
        }

        yield return ("recipe", Recipe);
        yield return ("deviations", Deviations);
        yield return ("seed", Text(Seed));
        yield return ("steps", Text(Steps));
        yield return ("data", Data);
        yield return ("data_sha256", DataHash);
        yield return ("training_images", Text(TrainingImages));
        yield return ("validation_images", Text(ValidationImages));
        yield return ("teacher", Teacher);
        yield return ("penalty", Penalty);
        yield return ("library_version", LibraryVersion);
    }

    private static string Text<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
