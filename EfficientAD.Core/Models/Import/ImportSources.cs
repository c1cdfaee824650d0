using System.Text.Json;

namespace EfficientAD.Models.Import;

/// <summary>The files that one model is imported from, and what they say together.</summary>
internal sealed class ImportSources : IDisposable
{
    private const int MaximumJson = 1 << 20;

    private readonly List<WeightsFile> _weights = [];
    private readonly Dictionary<string, object> _facts = [];

    /// <param name="paths">Weights of any format that <see cref="WeightsFile"/> reads, and anomalib's
    /// metadata.json.</param>
    /// <exception cref="ModelFormatException">A file is of another format, damaged or hostile.</exception>
    public ImportSources(IReadOnlyList<string> paths)
    {
        try
        {
            foreach (string path in paths)
            {
                if (Path.GetExtension(path) == ".json") ReadJson(path);
                else _weights.Add(WeightsFile.Open(path));
            }

            foreach ((string key, object value) in _weights.SelectMany(file => file.Facts)) _facts.TryAdd(key, value);
            Networks = [.. _weights.SelectMany(NetworkFinder.Find)];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyList<WeightsFile> Weights => _weights;

    /// <summary>All networks in the files.</summary>
    public IReadOnlyList<FoundNetwork> Networks { get; }

    /// <summary>Whether the networks pad their maps; null where no file says it.</summary>
    public bool? IsPadded
    {
        get
        {
            // In turn: our own files, whole modules and graphs, checkpoints of anomalib since 1 and before.
            if (_facts.GetValueOrDefault("padding") is "Padded" or "Unpadded") return _facts["padding"] is "Padded";
            return Networks.Select(network => network.IsPadded).FirstOrDefault(padded => padded is not null)
                ?? Fact("hyper_parameters.padding") as bool?
                ?? Fact("hyper_parameters.model.padding") as bool?;
        }
    }

    /// <summary>The network of a role; null where no file has it.</summary>
    /// <exception cref="ModelFormatException">Several have it.</exception>
    public FoundNetwork? Network(NetworkRole role)
    {
        FoundNetwork[] found = [.. Networks.Where(network => network.Role == role)];
        return found.Length <= 1
            ? found.FirstOrDefault()
            : throw new ModelFormatException(
                $"Both {found[0].File.Name} and {found[1].File.Name} hold " +
                $"a {NetworkFinder.Describe(role)}. Name only one of them.");
    }

    /// <summary>The tensor of this name, or one whose path ends with it.</summary>
    public (WeightsFile File, WeightTensor Tensor)? Tensor(string ending)
    {
        foreach (WeightsFile file in _weights)
            if (file.Names.FirstOrDefault(name => Ends(name, ending)) is { } name) return (file, file.Get(name));
        return null;
    }

    /// <summary>The first of several numbers that is known and finite: a tensor of one value, or a fact.</summary>
    /// <exception cref="ModelFormatException">The tensor's value is damaged.</exception>
    public float? Number(params ReadOnlySpan<string> endings)
    {
        Span<float> value = stackalloc float[1];
        foreach (string ending in endings)
        {
            value[0] = float.NaN;
            if (Tensor(ending) is { } found && found.Tensor.Shape.All(extent => extent == 1)) found.Tensor.Read(value);
            else if (Fact(ending) is { } fact)
                value[0] = fact switch { double number => (float)number, long number => number, _ => float.NaN };
            if (float.IsFinite(value[0])) return value[0];
        }

        return null;
    }

    /// <summary>A value under this name, or under a path that ends with it.</summary>
    public object? Fact(string ending) => _facts.FirstOrDefault(fact => Ends(fact.Key, ending)).Value;

    /// <summary>What images are resized to for the networks; null where no file says it.</summary>
    public (long Height, long Width)? InputSize()
    {
        string? resize = _facts.FirstOrDefault(fact => Ends(fact.Key, "__class__") && fact.Value is "Resize").Key;
        return resize is not null ? Extents($"{resize[..^"__class__".Length]}size")
            // Of an exported graph; of anomalib before version 1.
            : Extents("input_size") ?? Extents("hyper_parameters.dataset.image_size");
    }

    public void Dispose()
    {
        foreach (WeightsFile file in _weights) file.Dispose();
    }

    /// <summary>Two numbers, or one for both.</summary>
    private (long Height, long Width)? Extents(string name)
    {
        if (Fact($"{name}.0") is long height && Fact($"{name}.1") is long width) return (height, width);
        return Fact(name) is long side ? (side, side) : null;
    }

    private void ReadJson(string path)
    {
        if (new FileInfo(path).Length > MaximumJson)
            throw new ModelFormatException($"{path} has more than {MaximumJson} bytes, the limit for metadata.");
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
            if (json.RootElement.ValueKind != JsonValueKind.Object) throw new JsonException("It is no object.");
            foreach (JsonProperty property in json.RootElement.EnumerateObject())
                if (property.Value.ValueKind == JsonValueKind.Number)
                    _facts[$"metadata.{property.Name}"] = property.Value.GetDouble();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a name that is not valid Unicode.
            throw new ModelFormatException($"{path} is no JSON metadata: {e.Message}", e);
        }
    }

    private static bool Ends(string name, string ending) =>
        name.EndsWith(ending, StringComparison.Ordinal)
            && (name.Length == ending.Length || name[^(ending.Length + 1)] == '.');
}
