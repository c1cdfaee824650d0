using EfficientAD.Backends;
using EfficientAD.Models.Import;
using EfficientAD.Networks;

namespace EfficientAD.Models;

/// <summary>Teacher weights: the one that ships with the library, one that <c>efficientad distill</c> wrote, or one of
/// another program in any format that <see cref="WeightsFile"/> reads.</summary>
public static class TeacherFile
{
    private const string ShippedSmall = "pdn_small.safetensors";

    /// <summary>Loads the teacher for a network size.</summary>
    /// <param name="path">A file, or null for the shipped teacher, which exists for <see
    /// cref="PdnSize.Small"/>.</param>
    /// <returns>The teacher, and in words where it came from.</returns>
    /// <exception cref="ModelFormatException">The file does not hold this network, or is damaged.</exception>
    public static (PatchDescriptionNetwork Teacher, string Origin) Load(
        string? path, PdnSize size, bool padded, IBackend backend)
    {
        if (path is null && size != PdnSize.Small)
            throw new ArgumentException(
                $"No teacher of size {size} ships with this version. Name one with --teacher; " +
                "efficientad distill --size M makes it.", nameof(size));
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

        return (teacher, path is null ? $"shipped ({ShippedSmall})" : Path.GetFileName(path));
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
        using SafetensorsFile file = OpenShipped();
        NetworkWeights.Load(file, "", teacher.Parameters, backend);
    }

    private static SafetensorsFile OpenShipped()
    {
        Stream stream = typeof(TeacherFile).Assembly.GetManifestResourceStream(ShippedSmall)
            ?? throw new InvalidOperationException($"The assembly was built without its teacher, {ShippedSmall}.");
        return SafetensorsFile.Open(stream, ShippedSmall);
    }
}
