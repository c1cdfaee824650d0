using EfficientAD.Backends;
using EfficientAD.Networks;

namespace EfficientAD.Models;

/// <summary>A trained model: teacher, student, autoencoder, teacher statistics and what <see cref="ModelInformation"/> says,
/// in one safetensors file that any reader of that format opens.</summary>
/// <remarks>Tensors: <c>teacher.conv1.weight</c> ..., <c>student.conv1.weight</c> ..., <c>autoencoder.enconv1.weight</c> ...,
/// <c>teacher_mean</c> and <c>teacher_std</c> [384]; all 32-bit floats.</remarks>
public sealed class ModelFile : IDisposable
{
    internal const string TeacherPrefix = "teacher.", StudentPrefix = "student.", AutoencoderPrefix = "autoencoder.";
    internal const string MeanName = "teacher_mean", DeviationName = "teacher_std";

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
            ModelInformation information = ModelInformation.ReadFrom(path, file.Metadata);
            if (!information.Scaling.IsValid)
                throw new ModelFormatException($"{path}: the map quantiles {information.Scaling} do not rise. Train the model again.");
            if (information.Calibration.Scale <= 0)
                throw new ModelFormatException($"{path}: score_scale is {information.Calibration.Scale} but must be positive.");
            return new ModelFile(file, information);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes a model, whole or not at all.</summary>
    public static void Save(string path, ModelInformation information, DetectionNetworks networks)
    {
        var writer = new SafetensorsWriter();
        information.WriteTo(writer.Metadata);
        NetworkWeights.Add(writer, networks.Backend, TeacherPrefix, networks.Teacher);
        NetworkWeights.Add(writer, networks.Backend, StudentPrefix, networks.Student);
        NetworkWeights.Add(writer, networks.Backend, AutoencoderPrefix, networks.Autoencoder);
        NetworkWeights.Add(writer, networks.Backend, MeanName, networks.Mean);
        NetworkWeights.Add(writer, networks.Backend, DeviationName, networks.Deviation);
        writer.Save(path);
    }

    /// <summary>The networks and statistics of the file.</summary>
    /// <param name="trainable">Whether student and autoencoder get gradients.</param>
    /// <exception cref="ModelFormatException">A tensor is missing, has another shape, or holds values that are not finite.</exception>
    public DetectionNetworks Load(IBackend backend, bool trainable = false) => Load(
        backend, new DetectionNetworks(backend, Information.Size, Information.Padded, trainable), loadsTeacher: true);

    /// <summary>The networks and statistics of the file, with a teacher that was loaded before and stays the
    /// caller's.</summary>
    internal DetectionNetworks Load(IBackend backend, PatchDescriptionNetwork teacher) =>
        Load(backend, new DetectionNetworks(backend, teacher, trainable: false, ownsTeacher: false), loadsTeacher: false);

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

    /// <summary>XXH128 over all that makes the teacher: padding, names, types, shapes and bytes of its tensors.</summary>
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

    private DetectionNetworks Load(IBackend backend, DetectionNetworks networks, bool loadsTeacher)
    {
        try
        {
            if (loadsTeacher) NetworkWeights.Load(_file, TeacherPrefix, networks.Teacher.Parameters, backend);
            NetworkWeights.Load(_file, StudentPrefix, networks.Student.Parameters, backend);
            NetworkWeights.Load(_file, AutoencoderPrefix, networks.Autoencoder.Parameters, backend);
            NetworkWeights.Load(_file, MeanName, networks.Mean, backend);
            NetworkWeights.Load(_file, DeviationName, networks.Deviation, backend);
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
