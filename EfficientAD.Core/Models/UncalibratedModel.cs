using System.Globalization;
using EfficientAD.Backends;
using EfficientAD.Detection;
using EfficientAD.Networks;

namespace EfficientAD.Models;

/// <summary>What is known of networks that were trained elsewhere and have yet to be calibrated.</summary>
public sealed record UncalibratedInformation
{
    public required PdnSize Size { get; init; }

    /// <summary>Whether the patch description networks are padded.</summary>
    public required bool Padded { get; init; }

    public required MapOrder MapOrder { get; init; }

    /// <summary>Height of the networks' input in pixels.</summary>
    public required int InputHeight { get; init; }

    /// <summary>Width of the networks' input in pixels.</summary>
    public required int InputWidth { get; init; }

    /// <summary>Whose recipe they were trained by: "reference" or "anomalib".</summary>
    public required string Recipe { get; init; }

    /// <summary>Where the networks came from.</summary>
    public required string Origin { get; init; }

    /// <summary>What a model needs and these lack, in words.</summary>
    public required string Missing { get; init; }
}

/// <summary>A file with the three networks of a model, and teacher statistics if they are known, but without what it
/// takes to judge images; <c>efficientad calibrate</c> makes a model of it.</summary>
public sealed class UncalibratedModel : IDisposable
{
    /// <summary>The metadata entry that tells it from a model.</summary>
    public const string MissingKey = "uncalibrated";

    private readonly SafetensorsFile _file;

    private UncalibratedModel(SafetensorsFile file, UncalibratedInformation information) =>
        (_file, Information) = (file, information);

    public UncalibratedInformation Information { get; }

    /// <summary>Whether the file has the teacher's mean and standard deviation.</summary>
    public bool HasStatistics =>
        _file.TryGet(ModelFile.MeanName, out _) && _file.TryGet(ModelFile.DeviationName, out _);

    public static bool Is(SafetensorsFile file) => file.Metadata.ContainsKey(MissingKey);

    /// <exception cref="ModelFormatException">It is no such file, or is damaged.</exception>
    public static UncalibratedModel Open(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        try
        {
            var reader = new MetadataReader(path, file.Metadata);
            ModelInformation.CheckFormat(path, reader);
            return new UncalibratedModel(file, new UncalibratedInformation
            {
                Size = reader.Name<PdnSize>("network"),
                Padded = reader.Name<ModelInformation.Padding>("padding") == ModelInformation.Padding.Padded,
                MapOrder = reader.Name<MapOrder>("map_order"),
                InputHeight = reader.Integer("input_height", 33, 4096),
                InputWidth = reader.Integer("input_width", 33, 4096),
                Recipe = reader.Text("recipe"),
                Origin = reader.Text("teacher"),
                Missing = reader.Text(MissingKey),
            });
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes such a file, whole or not at all.</summary>
    /// <param name="hasStatistics">Whether the teacher statistics are known.</param>
    public static void Save(
        string path, UncalibratedInformation information, DetectionNetworks networks, bool hasStatistics)
    {
        var writer = new SafetensorsWriter
        {
            Metadata =
            {
                [ModelInformation.FormatKey] = ModelInformation.FormatVersion,
                ["network"] = information.Size.ToString(),
                ["padding"] = ModelInformation.PaddingName(information.Padded),
                ["map_order"] = information.MapOrder.ToString(),
                ["input_height"] = information.InputHeight.ToString(CultureInfo.InvariantCulture),
                ["input_width"] = information.InputWidth.ToString(CultureInfo.InvariantCulture),
                ["recipe"] = information.Recipe,
                ["teacher"] = information.Origin,
                [MissingKey] = information.Missing,
            },
        };
        NetworkWeights.Add(writer, networks.Backend, ModelFile.TeacherPrefix, networks.Teacher);
        NetworkWeights.Add(writer, networks.Backend, ModelFile.StudentPrefix, networks.Student);
        NetworkWeights.Add(writer, networks.Backend, ModelFile.AutoencoderPrefix, networks.Autoencoder);
        if (hasStatistics)
        {
            NetworkWeights.Add(writer, networks.Backend, ModelFile.MeanName, networks.Mean);
            NetworkWeights.Add(writer, networks.Backend, ModelFile.DeviationName, networks.Deviation);
        }

        writer.Save(path);
    }

    /// <summary>The networks of the file, and the teacher statistics where it <see cref="HasStatistics"/>.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing, has another shape, is not finite, or is a deviation
    /// that is not positive.</exception>
    public DetectionNetworks Load(IBackend backend)
    {
        var networks = new DetectionNetworks(backend, Information.Size, Information.Padded, trainable: false);
        try
        {
            NetworkWeights.Load(_file, ModelFile.TeacherPrefix, networks.Teacher.Parameters, backend);
            NetworkWeights.Load(_file, ModelFile.StudentPrefix, networks.Student.Parameters, backend);
            NetworkWeights.Load(_file, ModelFile.AutoencoderPrefix, networks.Autoencoder.Parameters, backend);
            if (!HasStatistics) return networks;
            NetworkWeights.Load(_file, ModelFile.MeanName, networks.Mean, backend);
            NetworkWeights.LoadPositive(_file, ModelFile.DeviationName, networks.Deviation, backend);
            return networks;
        }
        catch
        {
            networks.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();
}
