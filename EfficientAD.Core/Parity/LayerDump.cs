using EfficientAD.Models;
using EfficientAD.Models.Archives;
using EfficientAD.Models.Torch;

namespace EfficientAD.Parity;

/// <summary>What the layers of another implementation put out for one input: arrays by name, in NumPy's .npz or in
/// safetensors. docs/parity.md lists the names; scripts there write such files from PyTorch.</summary>
public sealed class LayerDump : IDisposable
{
    /// <summary>The networks' input, normalised: [1, 3, height, width].</summary>
    public const string InputName = "input";

    private readonly IDisposable _owner;
    private readonly Dictionary<string, WeightTensor> _arrays;

    private LayerDump(string name, IDisposable owner, IEnumerable<WeightTensor> arrays) =>
        (Name, _owner, _arrays) = (name, owner, arrays.ToDictionary(array => array.Name));

    /// <summary>The path it was opened by.</summary>
    public string Name { get; }

    public IReadOnlyCollection<string> Names => _arrays.Keys;

    /// <exception cref="ModelFormatException">The file is damaged, hostile or of another format.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static LayerDump Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        if (TorchFile.IsZip(file.Start(4)))
        {
            var arrays = new NpzFile(path, file);
            return new LayerDump(path, arrays, arrays.Arrays.Values);
        }

        file.Dispose();
        WeightsFile weights = WeightsFile.Open(path);
        return new LayerDump(path, weights, weights.Names.Select(weights.Get));
    }

    public bool Contains(string name) => _arrays.ContainsKey(name);

    /// <summary>Extents of an array, outermost first.</summary>
    /// <exception cref="ModelFormatException">There is no such array.</exception>
    public IReadOnlyList<long> Shape(string name) => Get(name).Shape;

    /// <summary>The values of an array, row-major.</summary>
    /// <exception cref="ModelFormatException">There is no such array, or its values cannot be read.</exception>
    public float[] Values(string name)
    {
        WeightTensor array = Get(name);
        var values = new float[array.Shape.Aggregate(1L, (count, extent) => count * extent)];
        array.Read(values);
        return values;
    }

    public void Dispose() => _owner.Dispose();

    private WeightTensor Get(string name) => _arrays.TryGetValue(name, out WeightTensor? array)
        ? array
        : throw new ModelFormatException($"{Name} has no array '{name}'. docs/parity.md says what a dump holds.");
}
