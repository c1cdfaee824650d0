using EfficientAD.Backends;
using EfficientAD.Networks;
using EfficientAD.Networks.Quantization;

namespace EfficientAD.Models;

/// <summary>A trained model: teacher, student, autoencoder, teacher statistics and what <see cref="ModelInformation"/>
/// says, in one safetensors file that any reader of that format opens.</summary>
/// <remarks>Tensors: <c>teacher.conv1.weight</c> ..., <c>student.conv1.weight</c> ...,
/// <c>autoencoder.enconv1.weight</c> ..., <c>teacher_mean</c> and <c>teacher_std</c> [384]; where places of the local
/// map are weighed <c>place_weights</c> [1, 1, h, w] of the map; with a head on pooled
/// features <c>pooled_mean</c> [384] and <c>pooled_factor</c> [384, 384]; and, of each hidden map over good images,
/// <c>activations.teacher.conv1.largest</c> and <c>activations.teacher.conv1.mean</c> [channels], ..., where the model
/// may be computed in numbers of 8 bits; all 32-bit floats.</remarks>
public sealed class ModelFile : IDisposable
{
    internal const string TeacherPrefix = "teacher.", StudentPrefix = "student.", AutoencoderPrefix = "autoencoder.";
    internal const string MeanName = "teacher_mean", DeviationName = "teacher_std";
    private const string PlaceWeightsName = "place_weights";
    private const string PooledMeanName = "pooled_mean", PooledFactorName = "pooled_factor";
    private const string ActivationsPrefix = "activations.", LargestSuffix = ".largest", MeanSuffix = ".mean";

    private readonly SafetensorsFile _file;

    private ModelFile(SafetensorsFile file, ModelInformation information) => (_file, Information) = (file, information);

    public ModelInformation Information { get; }

    /// <summary>Maps a file and checks its metadata, names, shapes and checksum.</summary>
    /// <exception cref="ModelFormatException">It is no model, is damaged, or holds impossible values.</exception>
    public static ModelFile Open(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        try
        {
            return new ModelFile(file, ReadInformation(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>What a model's file says of itself, checked.</summary>
    /// <exception cref="ModelFormatException">It is no model, or holds impossible values.</exception>
    internal static ModelInformation ReadInformation(SafetensorsFile file)
    {
        string path = file.Name;
        ModelInformation information = ModelInformation.ReadFrom(path, file.Metadata);
        if (!information.Scaling.IsValid)
        {
            throw new ModelFormatException(
                $"{path}: the map quantiles {information.Scaling} do not rise. Train the model again.");
        }

        if (information.Calibration.Scale <= 0)
        {
            throw new ModelFormatException(
                $"{path}: score_scale is {information.Calibration.Scale} but must be positive.");
        }

        if (information.Fit == Imaging.ImageFit.Letterbox && information.MapOrder != Detection.MapOrder.Aligned)
        {
            throw new ModelFormatException(
                $"{path}: a letterbox needs the map order Aligned, not {information.MapOrder}.");
        }

        if (information.Pooled is { IsValid: false } pooled)
            throw new ModelFormatException($"{path}: the head's deviations must be positive: {pooled}.");
        return information;
    }

    /// <summary>Writes a model, whole or not at all.</summary>
    public static void Save(string path, ModelInformation information, DetectionNetworks networks) =>
        Save(path, information, networks, pooled: null, activations: null);

    /// <param name="pooled">Belongs to <see cref="ModelInformation.Pooled"/>.</param>
    /// <param name="activations">Belong to <see cref="ModelInformation.Int8"/> and
    /// <see cref="ModelInformation.Fp8"/>.</param>
    internal static void Save(
        string path, ModelInformation information, DetectionNetworks networks, Detection.PooledDistribution? pooled,
        HiddenActivations? activations)
    {
        var writer = new SafetensorsWriter();
        information.WriteTo(writer.Metadata);
        NetworkWeights.Add(writer, networks.Backend, TeacherPrefix, networks.Teacher);
        NetworkWeights.Add(writer, networks.Backend, StudentPrefix, networks.Student);
        NetworkWeights.Add(writer, networks.Backend, AutoencoderPrefix, networks.Autoencoder);
        NetworkWeights.Add(writer, networks.Backend, MeanName, networks.Mean);
        NetworkWeights.Add(writer, networks.Backend, DeviationName, networks.Deviation);
        if (networks.PlaceWeights is { } places) NetworkWeights.Add(writer, networks.Backend, PlaceWeightsName, places);
        if (pooled is not null)
        {
            int channels = pooled.Mean.Length;
            writer.Add(
                PooledMeanName, [channels], Array.ConvertAll(pooled.Mean, value => (float)value), SafetensorsType.F32);
            writer.Add(
                PooledFactorName, [channels, channels], Array.ConvertAll(pooled.Factor, value => (float)value),
                SafetensorsType.F32);
        }

        if (activations is not null)
        {
            Add(TeacherPrefix, networks.Teacher, activations.Teacher);
            Add(StudentPrefix, networks.Student, activations.Student);
        }

        writer.Save(path);

        void Add(string prefix, PatchDescriptionNetwork network, IReadOnlyList<MapActivations> maps)
        {
            foreach ((ConvolutionLayer layer, MapActivations map) in network.Layers.Zip(maps))
            {
                string name = ActivationsPrefix + prefix + layer.Name;
                writer.Add(name + LargestSuffix, [map.Largest.Length], map.Largest, SafetensorsType.F32);
                writer.Add(name + MeanSuffix, [map.Means.Length], map.Means, SafetensorsType.F32);
            }
        }
    }

    /// <summary>What hidden maps hold over good images; null where the file does not say.</summary>
    /// <param name="networks">Those of the file.</param>
    /// <exception cref="ModelFormatException">A tensor is missing, has another shape, or holds impossible
    /// values.</exception>
    internal HiddenActivations? LoadActivations(DetectionNetworks networks)
    {
        if (!_file.Names.Any(name => name.StartsWith(ActivationsPrefix, StringComparison.Ordinal))) return null;
        return new HiddenActivations(Of(TeacherPrefix, networks.Teacher), Of(StudentPrefix, networks.Student));

        MapActivations[] Of(
            string prefix, PatchDescriptionNetwork network) => [.. network.Layers.SkipLast(1).Select(layer =>
        {
            (string name, int channels) = (ActivationsPrefix + prefix + layer.Name, layer.Weights.Value.Shape.N);
            float[] largest = Floats(name + LargestSuffix, channels);
            return Array.TrueForAll(largest, value => value >= 0)
                ? new MapActivations(largest, Floats(name + MeanSuffix, channels))
                : throw new ModelFormatException(
                    $"{_file.Name}: '{name}{LargestSuffix}' holds {largest.Min()}, which must not be negative.");
        })];
    }

    /// <summary>The distribution that the head on pooled features compares with; null where there is no head.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing, has another shape, or is no such factor.</exception>
    internal Detection.PooledDistribution? LoadPooled()
    {
        if (Information.Pooled is null) return null;
        const int channels = PatchDescriptionNetwork.TeacherChannels;
        var distribution = new Detection.PooledDistribution(
            Array.ConvertAll(Floats(PooledMeanName, channels), value => (double)value),
            Array.ConvertAll(Floats(PooledFactorName, channels * channels), value => (double)value));
        for (int i = 0; i < channels; i++)
        {
            if (distribution.Factor[i * channels + i] <= 0)
            {
                throw new ModelFormatException(
                    $"{_file.Name}: '{PooledFactorName}' has {distribution.Factor[i * channels + i]} at ({i}, {i}), " +
                    "which must be positive.");
            }
        }

        return distribution;
    }

    /// <summary>The networks and statistics of the file.</summary>
    /// <param name="trainable">Whether student and autoencoder get gradients.</param>
    /// <exception cref="ModelFormatException">A tensor is missing, has another shape, or holds values that are not
    /// finite, or deviations or weights of places that are not positive.</exception>
    public DetectionNetworks Load(IBackend backend, bool trainable = false) => Load(
        backend, new DetectionNetworks(backend, Information.Size, Information.Padded, trainable), loadsTeacher: true);

    /// <summary>The networks and statistics of the file, with a teacher that was loaded before and stays the
    /// caller's.</summary>
    internal DetectionNetworks Load(IBackend backend, PatchDescriptionNetwork teacher) =>
        Load(
            backend, new DetectionNetworks(backend, teacher, trainable: false, ownsTeacher: false),
            loadsTeacher: false);

    /// <summary>The teacher alone.</summary>
    internal PatchDescriptionNetwork LoadTeacher(IBackend backend)
    {
        var teacher = new PatchDescriptionNetwork(
            backend, Information.Size, PatchDescriptionNetwork.TeacherChannels, Information.Padded, trainable: false);
        try
        {
            NetworkWeights.Load(_file, TeacherPrefix, teacher.Parameters, backend);
            return teacher;
        }
        catch
        {
            teacher.Dispose();
            throw;
        }
    }

    /// <summary>XXH128 over all that makes the teacher: padding, names, types, shapes and bytes of its
    /// tensors.</summary>
    internal UInt128 HashTeacher()
    {
        var hash = new SafetensorsChecksum();
        hash.Add(new Dictionary<string, string> { ["padding"] = ModelInformation.PaddingName(Information.Padded) });
        foreach (string name in _file.Names.Where(name => name.StartsWith(TeacherPrefix, StringComparison.Ordinal)))
        {
            SafetensorsTensor tensor = _file.Get(name);
            hash.Add(name, tensor.Type, tensor.Shape, tensor.Bytes);
        }

        return hash.Value;
    }

    private float[] Floats(string name, int count)
    {
        SafetensorsTensor tensor = _file.Get(name);
        if (tensor.Count != count)
            throw new ModelFormatException($"{_file.Name}: '{name}' has {tensor.Count} values, not {count}.");
        var values = new float[count];
        tensor.ReadFloats(values);
        return Array.TrueForAll(values, float.IsFinite)
            ? values
            : throw new ModelFormatException($"{_file.Name}: '{name}' holds values that are not finite.");
    }

    private DetectionNetworks Load(IBackend backend, DetectionNetworks networks, bool loadsTeacher)
    {
        try
        {
            if (loadsTeacher) NetworkWeights.Load(_file, TeacherPrefix, networks.Teacher.Parameters, backend);
            NetworkWeights.Load(_file, StudentPrefix, networks.Student.Parameters, backend);
            NetworkWeights.Load(_file, AutoencoderPrefix, networks.Autoencoder.Parameters, backend);
            NetworkWeights.Load(_file, MeanName, networks.Mean, backend);
            NetworkWeights.LoadPositive(_file, DeviationName, networks.Deviation, backend);
            if (_file.Names.Contains(PlaceWeightsName))
                NetworkWeights.LoadPositive(
                    _file, PlaceWeightsName,
                    networks.AddPlaceWeights(Information.InputHeight, Information.InputWidth), backend);
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
