using EfficientAD.Networks;

namespace EfficientAD.Models.Import;

/// <summary>Finds the networks of EfficientAD in a file by the names and shapes of their first layers.</summary>
internal static class NetworkFinder
{
    private const int TeacherChannels = PatchDescriptionNetwork.TeacherChannels;

    /// <exception cref="ModelFormatException">A network has other channels than the method's, or occurs
    /// twice.</exception>
    public static IReadOnlyList<FoundNetwork> Find(WeightsFile file)
    {
        var networks = new List<FoundNetwork>();
        foreach (string name in file.Names)
        {
            if (Classify(file, name) is not { } found) continue;
            if (networks.Find(other => other.Role == found.Role) is { } twin)
            {
                throw new ModelFormatException(
                    $"{file.Name} holds two networks that could be the {Describe(found.Role)}: " +
                    $"'{SafetensorsHeader.Printable(twin.Prefix)}' and " +
                    $"'{SafetensorsHeader.Printable(found.Prefix)}'. Save the right one alone.");
            }

            networks.Add(found);
        }

        return networks;
    }

    public static string Describe(NetworkRole role) => role.ToString().ToLowerInvariant();

    private static FoundNetwork? Classify(WeightsFile file, string name)
    {
        if (PrefixOf(name, "encoder.enconv1.weight") is { } nested)
            return Autoencoder(file, nested, NetworkLayout.AnomalibAutoencoder);
        if (PrefixOf(name, "enconv1.weight") is { } flat) return Autoencoder(file, flat, NetworkLayout.Named);
        string? prefix = PrefixOf(name, "conv1.weight");
        bool isNumbered = prefix is null;
        prefix ??= PrefixOf(name, "0.weight");
        if (prefix is null || file.Get(name).Shape is not [var channels, 3, 4, 4]) return null;
        if (isNumbered && channels == 32) return Autoencoder(file, prefix, NetworkLayout.Sequential(null));
        PdnSize? size = channels switch { 128 => PdnSize.Small, 256 => PdnSize.Medium, _ => null };
        NetworkLayout layout = isNumbered ? NetworkLayout.Sequential(size) : NetworkLayout.Named;
        return size is null ? null : PatchDescription(file, prefix, layout, size.Value);
    }

    private static FoundNetwork Autoencoder(WeightsFile file, string prefix, NetworkLayout layout) =>
        new(file, prefix, layout, NetworkRole.Autoencoder, null, null);

    private static FoundNetwork PatchDescription(WeightsFile file, string prefix, NetworkLayout layout, PdnSize size)
    {
        long[] last = file.Get($"{prefix}{layout.LastOf(size)}.weight").Shape;
        NetworkRole role = last is [TeacherChannels, ..] ? NetworkRole.Teacher
            : last is [2 * TeacherChannels, ..] ? NetworkRole.Student
            : throw new ModelFormatException(
                $"{file.Name}: the network '{SafetensorsHeader.Printable(prefix)}' ends in " +
                $"[{string.Join(", ", last)}]; " +
                $"a teacher has {TeacherChannels} channels and a student {2 * TeacherChannels}.");
        bool? isPadded = file.Facts.TryGetValue($"{prefix}{layout.NameOf(0, "conv1")}.padding.0", out object? padding)
            ? padding is > 0L
            : null;
        return new FoundNetwork(file, prefix, layout, role, size, isPadded);
    }

    /// <summary>What stands before an ending that begins at the name's start or behind a dot.</summary>
    private static string? PrefixOf(string name, string ending) =>
        name.EndsWith(ending, StringComparison.Ordinal)
            && (name.Length == ending.Length || name[^(ending.Length + 1)] == '.')
            ? name[..^ending.Length]
            : null;
}
