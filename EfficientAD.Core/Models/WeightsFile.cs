using EfficientAD.Models.Onnx;
using EfficientAD.Models.Torch;

namespace EfficientAD.Models;

/// <summary>Copies all values of a tensor, row-major, as floats.</summary>
/// <param name="destination">Overwritten; must hold exactly the tensor's values.</param>
internal delegate void FloatReader(Span<float> destination);

/// <summary>One tensor of a <see cref="WeightsFile"/>.</summary>
/// <param name="Shape">Extents, outermost first; empty for a scalar.</param>
/// <param name="Read">Throws a <see cref="ModelFormatException"/> if the values are damaged or no floats.</param>
internal sealed record WeightTensor(string Name, long[] Shape, FloatReader Read);

/// <summary>A file with network weights in any format that we read, told apart by its first bytes: safetensors, PyTorch
/// (new and old), ONNX. Nothing in it is executed.</summary>
internal sealed class WeightsFile : IDisposable
{
    private readonly Dictionary<string, WeightTensor> _tensors;
    private readonly IDisposable _owner;

    private WeightsFile(
        string path, string format, IDisposable owner, Dictionary<string, WeightTensor> tensors,
        Dictionary<string, object> facts)
    {
        (Name, Format, _owner, _tensors, Facts) = (path, format, owner, tensors, facts);
    }

    /// <summary>How messages name the file: the path it was opened by.</summary>
    public string Name { get; }

    /// <summary>In words: "safetensors", "PyTorch", "PyTorch before 1.6", "ONNX".</summary>
    public string Format { get; }

    public IEnumerable<string> Names => _tensors.Keys;

    /// <summary>What else the file says: bool, long, double or text by its path.</summary>
    public IReadOnlyDictionary<string, object> Facts { get; }

    /// <summary>Whether it is a model that this library wrote, calibrated or not.</summary>
    public bool IsOurs => Facts.ContainsKey(ModelInformation.FormatKey);

    /// <summary>Whether such a model lacks its calibration.</summary>
    public bool IsUncalibrated => Facts.ContainsKey(UncalibratedModel.MissingKey);

    /// <exception cref="ModelFormatException">The file is of another format, damaged or hostile.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static WeightsFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        byte[] start = file.Start(16).ToArray();
        // First, as it asks for most: the length of a header may begin like any of the others.
        if (SafetensorsFile.Is(start))
        {
            file.Dispose();
            return FromSafetensors(SafetensorsFile.Open(path));
        }

        if (TorchFile.IsZip(start) || TorchFile.IsPickle(start)) return FromTorch(TorchFile.Open(path, file));
        // An ONNX model begins with its version: field 1, a small number.
        if (start is [0x08, > 0 and < 0x80, ..]) return FromOnnx(new OnnxFile(path, file));
        file.Dispose();
        throw new ModelFormatException(
            $"{path} is of no format that weights are read from: safetensors, PyTorch (.pth, .pt, .ckpt), ONNX. It " +
            $"starts with {Convert.ToHexStringLower(start)}.");
    }

    public WeightTensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <exception cref="ModelFormatException">There is none; the message lists what there is.</exception>
    public WeightTensor Get(string name) =>
        Find(name) ?? throw new ModelFormatException($"{Name} has no tensor '{name}'. {Inventory()}");

    /// <summary>The first names in the file, for messages.</summary>
    public string Inventory()
    {
        const int Shown = 12;
        string names = string.Join(
            ", ", Names.Take(Shown).Select(SafetensorsHeader.Printable).DefaultIfEmpty("no tensor"));
        return $"It holds {names}{(_tensors.Count > Shown ? $" and {_tensors.Count - Shown} more" : "")}.";
    }

    public void Dispose() => _owner.Dispose();

    private static WeightsFile FromSafetensors(SafetensorsFile file)
    {
        var tensors = new Dictionary<string, WeightTensor>();
        foreach (string name in file.Names)
            tensors[name] = new WeightTensor(
                name, file.Get(name).Shape.ToArray(), destination => file.Get(name).ReadFloats(destination));
        var facts = file.Metadata.ToDictionary(pair => pair.Key, pair => (object)pair.Value);
        return new WeightsFile(file.Name, "safetensors", file, tensors, facts);
    }

    private static WeightsFile FromTorch(TorchFile file)
    {
        try
        {
            var tree = new TensorTree(file);
            var tensors = new Dictionary<string, WeightTensor>();
            foreach ((string name, TorchTensor tensor) in tree.Tensors)
                tensors[name] = new WeightTensor(
                    name, tensor.Shape, destination => file.ReadFloats(name, tensor, destination));
            string format = file.IsLegacy ? "PyTorch before 1.6" : "PyTorch";
            return new WeightsFile(file.Name, format, file, tensors, tree.Facts);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static WeightsFile FromOnnx(OnnxFile file)
    {
        try
        {
            var tensors = new Dictionary<string, WeightTensor>();
            foreach ((string name, OnnxTensor tensor) in file.Tensors)
                tensors[name] = new WeightTensor(
                    name, tensor.Shape, destination => file.ReadFloats(tensor, destination));
            return new WeightsFile(file.Name, "ONNX", file, tensors, OnnxFacts.Of(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
