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
    public DetectionNetworks Load(IBackend backend, bool trainable = false)
    {
        var networks = new DetectionNetworks(backend, Information.Size, Information.Padded, trainable);
        try
        {
            NetworkWeights.Load(_file, TeacherPrefix, networks.Teacher.Parameters, backend);
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
