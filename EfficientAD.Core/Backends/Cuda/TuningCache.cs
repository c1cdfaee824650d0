using System.Text.Json;
using EfficientAD.Models;

namespace EfficientAD.Backends.Cuda;

/// <summary>Choices that took measuring, kept in a file of the user's from one process to the next: per environment
/// (card, driver, library, kernels) the choice for each problem.</summary>
/// <remarks>A file that cannot be read counts as empty, one that cannot be written is left alone: choices then last as
/// long as the process.</remarks>
internal sealed class TuningCache(string path, string environment)
{
    private readonly Dictionary<string, string> _choices = Read(path).GetValueOrDefault(environment) ?? [];

    /// <summary>A file where the user's caches are: XDG_CACHE_HOME or ~/.cache, Library/Caches on macOS, the local
    /// application data on Windows.</summary>
    public static string PathOf(string file)
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string folder = OperatingSystem.IsWindows()
            ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } caches ? caches
            : Path.Combine(home, ".cache");
        return Path.Combine(folder, "efficientad", file);
    }

    /// <summary>Null where there is none.</summary>
    public string? Find(string problem) => _choices.GetValueOrDefault(problem);

    /// <summary>Remembers a choice, beside those that other processes have written meanwhile.</summary>
    public void Add(string problem, string choice)
    {
        _choices[problem] = choice;
        Dictionary<string, Dictionary<string, string>> all = Read(path);
        if (!all.TryGetValue(environment, out Dictionary<string, string>? choices)) all[environment] = choices = [];
        foreach ((string name, string value) in _choices) choices[name] = value;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            AtomicFile.Write(path, stream => Write(all, stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing is lost but the time to measure again.
        }
    }

    private static Dictionary<string, Dictionary<string, string>> Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.EnumerateObject().ToDictionary(
                environment => environment.Name,
                environment => environment.Value.EnumerateObject()
                    .ToDictionary(choice => choice.Name, choice => choice.Value.GetString() ?? ""));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException
            or InvalidOperationException or ArgumentException)
        {
            return [];
        }
    }

    private static void Write(Dictionary<string, Dictionary<string, string>> all, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        foreach (string name in all.Keys.Order(StringComparer.Ordinal))
        {
            json.WriteStartObject(name);
            foreach ((string problem, string choice) in all[name].OrderBy(pair => pair.Key, StringComparer.Ordinal))
                json.WriteString(problem, choice);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
