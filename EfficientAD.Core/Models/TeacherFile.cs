using EfficientAD.Backends;
using EfficientAD.Networks;

namespace EfficientAD.Models;

/// <summary>Teacher weights: the one that ships with the library, or a safetensors file with <c>conv1.weight</c> and so on,
/// as <c>efficientad distill</c> writes it.</summary>
public static class TeacherFile
{
    private const string ShippedSmall = "pdn_small.safetensors";

    /// <summary>Loads the teacher for a network size.</summary>
    /// <param name="path">A file, or null for the shipped teacher, which exists for <see cref="PdnSize.Small"/>.</param>
    /// <returns>The teacher, and in words where it came from.</returns>
    /// <exception cref="ModelFormatException">The file does not hold this network, or is damaged.</exception>
    public static (PatchDescriptionNetwork Teacher, string Origin) Load(string? path, PdnSize size, bool padded, IBackend backend)
    {
        if (path is null && size != PdnSize.Small)
            throw new ArgumentException($"No teacher of size {size} ships with this version. Name one with --teacher; efficientad distill --size M makes it.", nameof(size));
        using SafetensorsFile file = path is null ? OpenShipped() : SafetensorsFile.Open(path);
        var teacher = new PatchDescriptionNetwork(backend, size, PatchDescriptionNetwork.TeacherChannels, padded, trainable: false);
        NetworkWeights.Load(file, "", teacher.Parameters, backend);
        return (teacher, path is null ? $"shipped ({ShippedSmall})" : Path.GetFileName(path));
    }

    private static SafetensorsFile OpenShipped()
    {
        Stream stream = typeof(TeacherFile).Assembly.GetManifestResourceStream(ShippedSmall)
            ?? throw new InvalidOperationException($"The assembly was built without its teacher, {ShippedSmall}.");
        return SafetensorsFile.Open(stream, ShippedSmall);
    }
}
