using System.Text;

namespace EfficientAD.Models.Onnx;

/// <summary>A constant of a graph: its values lie in the file.</summary>
internal sealed record OnnxTensor(
    string Name, SafetensorsType? Type, long TypeNumber, long[] Shape, int Start, int Length, bool IsExternal);

/// <summary>An operation of a graph.</summary>
/// <param name="Pads">Of a convolution: padding at each side; else empty.</param>
internal sealed record OnnxNode(string Operator, string[] Inputs, string[] Outputs, long[] Pads);

/// <summary>The weights and the graph of an ONNX model. Nothing is computed; the file is untrusted: counts and lengths
/// are checked, and data in other files, which a path in the model would name, are refused.</summary>
internal sealed class OnnxFile : IDisposable
{
    private const int MaximumItems = 100_000, MaximumNames = 200_000, MaximumText = 1024, MaximumRank = 16;

    private readonly MappedFile _file;
    private readonly Dictionary<string, OnnxTensor> _tensors = [];
    private readonly List<OnnxNode> _nodes = [];
    private int _names;

    /// <param name="file">Owned by this from now on, whether opening succeeds or not.</param>
    /// <exception cref="ModelFormatException">The content is no sound ONNX model.</exception>
    public OnnxFile(string name, MappedFile file)
    {
        (Name, _file) = (name, file);
        try
        {
            if (file.Length > int.MaxValue)
                throw new ModelFormatException($"{name} has {file.Length} bytes; the limit is {int.MaxValue}.");
            var model = new ProtobufReader(name, file.Slice(0, (int)file.Length), 0);
            while (model.Read())
                if (model is { Field: Field.Graph, HasContent: true }) ReadGraph(model.Message());
            AddAliases();
            if (_nodes.Count == 0)
                throw new ModelFormatException($"{name} is no ONNX model: it has no graph with nodes.");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public string Name { get; }

    /// <summary>Constants by name: initialisers, Constant nodes, and other names for them.</summary>
    public IReadOnlyDictionary<string, OnnxTensor> Tensors => _tensors;

    public IReadOnlyList<OnnxNode> Nodes => _nodes;

    /// <summary>Height and width of the first input; 0 where they are open.</summary>
    public (long Height, long Width) InputSize { get; private set; }

    /// <summary>Copies a constant's values, row-major, as floats.</summary>
    /// <param name="destination">Overwritten; must hold exactly the tensor's values.</param>
    /// <exception cref="ModelFormatException">The values are missing or of another type.</exception>
    public void ReadFloats(OnnxTensor tensor, Span<float> destination)
    {
        string printable = SafetensorsHeader.Printable(tensor.Name);
        if (tensor.IsExternal)
        {
            throw new ModelFormatException(
                $"{Name}: tensor '{printable}' lies in another file. Export the model into one file " +
                "(external_data=False).");
        }

        if (tensor.Type is not (
            SafetensorsType.F32 or SafetensorsType.F16 or SafetensorsType.BF16 or SafetensorsType.F64))
        {
            throw new ModelFormatException(
                $"{Name}: tensor '{printable}' has data type {tensor.TypeNumber}; " +
                "FLOAT, FLOAT16, BFLOAT16 and DOUBLE can be read as weights.");
        }

        long needed = (long)destination.Length * tensor.Type.Value.Size();
        if (needed != tensor.Length)
            throw new ModelFormatException(
                $"{Name}: tensor '{printable}' has {tensor.Length} bytes of values but its shape needs {needed}. The " +
                "file is damaged.");
        var entry = new SafetensorsEntry(tensor.Name, tensor.Type.Value, tensor.Shape, tensor.Start, tensor.Length);
        new SafetensorsTensor(Name, entry, _file.Slice(tensor.Start, tensor.Length)).ReadFloats(destination);
    }

    public void Dispose() => _file.Dispose();

    private void ReadGraph(ProtobufReader graph)
    {
        while (graph.Read())
        {
            switch (graph.Field)
            {
                case Field.Node: ReadNode(graph.Message()); break;
                case Field.Initializer: Add(ReadTensor(graph.Message())); break;
                case Field.Input when InputSize == default: InputSize = ReadInputSize(graph.Message()); break;
            }

            CheckCounts();
        }
    }

    private void CheckCounts()
    {
        if (_nodes.Count > MaximumItems || _tensors.Count > MaximumItems || _names > MaximumNames)
            throw new ModelFormatException(
                $"{Name} has more than {MaximumItems} nodes or tensors, or {MaximumNames} names, the limits.");
    }

    /// <summary>Equal initialisers are written once, the others refer to it by Identity nodes; a file may have all its
    /// nodes before the first initialiser.</summary>
    private void AddAliases()
    {
        foreach (OnnxNode node in _nodes)
        {
            if (node is not { Operator: "Identity", Inputs: [var source], Outputs: [var alias] }
                || !_tensors.TryGetValue(source, out OnnxTensor? known)) continue;
            Add(known with { Name = alias });
            CheckCounts();
        }
    }

    private void Add(OnnxTensor tensor)
    {
        if (!_tensors.TryAdd(tensor.Name, tensor))
            throw new ModelFormatException(
                $"{Name} names the tensor '{SafetensorsHeader.Printable(tensor.Name)}' twice. The file is damaged.");
    }

    private void ReadNode(ProtobufReader node)
    {
        List<string> inputs = [], outputs = [];
        var pads = new List<long>();
        string kind = "";
        OnnxTensor? constant = null;
        while (node.Read() && _names++ <= MaximumNames)
        {
            switch (node.Field)
            {
                case Field.NodeInput: inputs.Add(Text(node)); break;
                case Field.NodeOutput: outputs.Add(Text(node)); break;
                case Field.NodeOperator: kind = Text(node); break;
                case Field.NodeAttribute: ReadAttribute(node.Message(), pads, ref constant); break;
            }
        }

        _nodes.Add(new OnnxNode(kind, [.. inputs], [.. outputs], [.. pads]));
        if (kind == "Constant" && constant is not null && outputs is [var name]) Add(constant with { Name = name });
    }

    private static void ReadAttribute(ProtobufReader attribute, List<long> pads, ref OnnxTensor? constant)
    {
        string name = "";
        var numbers = new List<long>();
        while (attribute.Read())
        {
            if (attribute.Field == Field.AttributeName) name = Text(attribute);
            else if (attribute.Field == Field.AttributeIntegers) attribute.AddNumbers(numbers, MaximumItems);
            else if (attribute is { Field: Field.AttributeTensor, HasContent: true })
                constant = ReadTensor(attribute.Message());
        }

        if (name == "pads") pads.AddRange(numbers);
    }

    private static OnnxTensor ReadTensor(ProtobufReader tensor)
    {
        string name = "";
        var shape = new List<long>();
        long type = 0;
        (int start, int length, bool isExternal) = (0, 0, false);
        while (tensor.Read())
        {
            switch (tensor.Field)
            {
                case Field.TensorDimensions: tensor.AddNumbers(shape, MaximumRank); break;
                case Field.TensorType: type = (long)tensor.Number; break;
                case Field.TensorName: name = Text(tensor); break;
                case Field.TensorLocation: isExternal = tensor.Number != 0; break;
                case Field.TensorRaw or Field.TensorFloats or Field.TensorDoubles when tensor.HasContent:
                    (start, length) = (tensor.ContentStart, tensor.Content.Length);
                    break;
            }
        }

        if (shape.Exists(extent => extent < 0))
            throw tensor.Damaged($"gives tensor '{SafetensorsHeader.Printable(name)}' a negative extent");
        return new OnnxTensor(name, TypeOf(type), type, [.. shape], start, length, isExternal);
    }

    private static (long Height, long Width) ReadInputSize(ProtobufReader value)
    {
        var extents = new List<long>();
        while (value.Read())
        {
            if (value.Field != Field.ValueType) continue;
            ProtobufReader type = value.Message();
            while (type.Read())
            {
                if (type.Field != Field.TensorOfType) continue;
                ProtobufReader tensor = type.Message();
                while (tensor.Read())
                    if (tensor.Field == Field.Shape) ReadExtents(tensor.Message(), extents);
            }
        }

        return extents is [_, _, var height, var width] ? (height, width) : default;
    }

    private static void ReadExtents(ProtobufReader shape, List<long> extents)
    {
        while (shape.Read())
        {
            long extent = 0;
            ProtobufReader dimension = shape.Message();
            while (dimension.Read())
                if (dimension.Field == Field.DimensionValue) extent = (long)dimension.Number;
            if (extents.Count < MaximumRank) extents.Add(extent);
        }
    }

    private static string Text(ProtobufReader reader) => reader.Content.Length <= MaximumText
        ? Encoding.UTF8.GetString(reader.Content)
        : throw reader.Damaged($"has a name of {reader.Content.Length} bytes");

    private static SafetensorsType? TypeOf(long number) => number switch
    {
        1 => SafetensorsType.F32,
        10 => SafetensorsType.F16,
        11 => SafetensorsType.F64,
        16 => SafetensorsType.BF16,
        _ => null,
    };

    /// <summary>Field numbers of onnx.proto.</summary>
    private static class Field
    {
        public const int Graph = 7;
        public const int Node = 1, Initializer = 5, Input = 11;
        public const int NodeInput = 1, NodeOutput = 2, NodeOperator = 4, NodeAttribute = 5;
        public const int AttributeName = 1, AttributeTensor = 5, AttributeIntegers = 8;
        public const int TensorDimensions = 1, TensorType = 2, TensorFloats = 4, TensorName = 8, TensorRaw = 9;
        public const int TensorDoubles = 10, TensorLocation = 14;
        public const int ValueType = 2, TensorOfType = 1, Shape = 2, DimensionValue = 1;
    }
}
