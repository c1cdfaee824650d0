using EfficientAD.Backends;
using EfficientAD.Models.Import;
using EfficientAD.Networks;

namespace EfficientAD.Models;

/// <summary>Teacher weights: the one that ships with the library, one that <c>efficientad distill</c> wrote, or one of
/// another program in any format that <see cref="WeightsFile"/> reads.</summary>
public static class TeacherFile
{
    /// <summary>Loads the teacher for a network size.</summary>
    /// <param name="path">A file, or null for the shipped teacher of this size.</param>
    /// <returns>The teacher, and in words where it came from.</returns>
    /// <exception cref="ModelFormatException">The file does not hold this network, or is damaged.</exception>
    public static (PatchDescriptionNetwork Teacher, string Origin) Load(
        string? path, PdnSize size, bool padded, IBackend backend)
    {
        var teacher = new PatchDescriptionNetwork(
            backend, size, PatchDescriptionNetwork.TeacherChannels, padded, trainable: false);
        try
        {
            if (path is null) LoadShipped(teacher, backend);
            else Load(path, teacher, backend);
        }
        catch
        {
            teacher.Dispose();
            throw;
        }

        return (teacher, path is null ? $"shipped ({ShippedName(size)})" : Path.GetFileName(path));
    }

    /// <summary>The file of the teacher that ships, as a resource of this library.</summary>
    internal static SafetensorsFile OpenShipped(PdnSize size)
    {
        string name = ShippedName(size);
        Stream stream = typeof(TeacherFile).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly was built without its teacher, {name}.");
        return SafetensorsFile.Open(stream, name);
    }

    private static void Load(string path, PatchDescriptionNetwork teacher, IBackend backend)
    {
        using WeightsFile file = WeightsFile.Open(path);
        FoundNetwork found = NetworkFinder.Find(file).FirstOrDefault(network => network.Role == NetworkRole.Teacher)
            ?? throw new ModelFormatException($"{path} holds no teacher. {file.Inventory()}");
        if (found.Size != teacher.Size)
            throw new ModelFormatException(
                $"{path} holds a teacher of size {found.Size} but one of size {teacher.Size} is asked for. " +
                "Use the other --size.");
        found.Load(teacher, backend);
    }

    private static void LoadShipped(PatchDescriptionNetwork teacher, IBackend backend)
    {
        using SafetensorsFile file = OpenShipped(teacher.Size);
        NetworkWeights.Load(file, "", teacher.Parameters, backend);
    }

    private static string ShippedName(PdnSize size) => $"pdn_{size.ToString().ToLowerInvariant()}.safetensors";
}
