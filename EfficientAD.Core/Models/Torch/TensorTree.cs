using System.Globalization;

namespace EfficientAD.Models.Torch;

/// <summary>The tensors in what a PyTorch file holds, under the names that PyTorch itself gives them: dictionaries and
/// modules as paths, "state_dict.model.teacher.conv1.weight".</summary>
internal sealed class TensorTree
{
    // A Lightning checkpoint nests about 10 levels deep.
    private const int MaximumDepth = 64;

    // All paths together; one text can be the key of many entries. That checkpoint has about a million.
    private const long MaximumCharacters = 32_000_000;

    /// <summary>What a module keeps its content in; these names are no part of a tensor's own.</summary>
    private static readonly string[] ModuleContent = ["_parameters", "_buffers", "_modules"];

    private readonly string _file;
    private readonly HashSet<object> _visited = new(ReferenceEqualityComparer.Instance);
    private long _characters;

    /// <exception cref="ModelFormatException">The content nests too deeply.</exception>
    public TensorTree(TorchFile file)
    {
        _file = file.Name;
        Visit("", file.Root, 0);
    }

    public Dictionary<string, TorchTensor> Tensors { get; } = [];

    /// <summary>Numbers, truth values and texts by their path, and the class of each object as
    /// PATH.__class__.</summary>
    public Dictionary<string, object> Facts { get; } = [];

    private void Visit(string path, object? value, int depth)
    {
        _characters += path.Length;
        if (_characters > MaximumCharacters)
            throw new ModelFormatException(
                $"{_file} has names of more than {MaximumCharacters} characters, the limit. " +
                "The file is damaged or hostile.");
        switch (value)
        {
            case TorchTensor tensor: Tensors[path] = tensor; return;
            case bool or long or double or string: Facts[path] = value; return;
            case PickleDictionary or PickleObject or PickleTuple or List<object?>: break;
            default: return;
        }

        // Every container once: values that refer to themselves, or to each other by the thousand, end here.
        if (!_visited.Add(value)) return;
        if (depth == MaximumDepth)
            throw new ModelFormatException(
                $"{_file} nests its content deeper than {MaximumDepth} levels, the limit. " +
                "The file is damaged or hostile.");
        switch (value)
        {
            case PickleDictionary dictionary: VisitEntries(path, dictionary, depth); break;
            case PickleTuple tuple: VisitItems(path, tuple.Items, depth); break;
            case List<object?> list: VisitItems(path, list, depth); break;
            case PickleObject item: VisitObject(path, item, depth); break;
        }
    }

    private void VisitObject(string path, PickleObject item, int depth)
    {
        if (IsConfiguration(item.Type))
        {
            Visit(path, item.Attribute("_content") ?? item.Attribute("_val"), depth + 1);
            return;
        }

        Facts[Join(path, "__class__")] = item.Type.Name;
        foreach (string name in ModuleContent)
            if (item.Attribute(name) is PickleDictionary content && _visited.Add(content))
                VisitEntries(path, content, depth);
        Visit(path, item.State, depth + 1);
        VisitEntries(path, item.Items, depth);
    }

    /// <summary>A node of OmegaConf: a dictionary or list of nodes, or one value. What else it holds is about
    /// itself.</summary>
    private static bool IsConfiguration(PickleGlobal type) =>
        type.Module == "omegaconf" || type.Module.StartsWith("omegaconf.", StringComparison.Ordinal);

    private void VisitEntries(string path, PickleDictionary dictionary, int depth)
    {
        foreach ((object? key, object? value) in dictionary.Entries)
        {
            string? name = key as string ?? (key as long?)?.ToString(CultureInfo.InvariantCulture);
            if (name is not null) Visit(Join(path, name), value, depth + 1);
        }
    }

    private void VisitItems(string path, IReadOnlyList<object?> items, int depth)
    {
        for (int i = 0; i < items.Count; i++)
            Visit(Join(path, i.ToString(CultureInfo.InvariantCulture)), items[i], depth + 1);
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
