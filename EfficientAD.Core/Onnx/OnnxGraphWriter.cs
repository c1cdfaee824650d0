using System.Runtime.InteropServices;

namespace EfficientAD.Onnx;

/// <summary>A graph in the making: nodes in the order of computation, constants, inputs and outputs, each by its
/// name.</summary>
/// <remarks>Field numbers are those of onnx.proto; the operators that are used are in set 18.</remarks>
internal sealed class OnnxGraphWriter
{
    private const int IrVersion = 8, OperatorSet = 18;
    private const int AttributeFloat = 1, AttributeInteger = 2, AttributeText = 3, AttributeIntegers = 7;

    private readonly ProtobufWriter _nodes = new(), _constants = new(), _inputs = new(), _outputs = new();
    private int _count;

    /// <summary>Element types of onnx.proto.</summary>
    public enum Element
    {
        Float = 1,
        UnsignedByte = 2,
        Integer64 = 7,
    }

    /// <summary>Adds a node with one output.</summary>
    /// <param name="attributes">Values are int, int[], float or string.</param>
    /// <returns>The output's name.</returns>
    public string Node(string kind, string[] inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Node(kind, $"{kind.ToLowerInvariant()}_{++_count}", inputs, attributes);

    /// <param name="output">The output's name.</param>
    public string Node(
        string kind, string output, string[] inputs, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        (string, object)[] all = attributes.ToArray();
        _nodes.Message(1, node =>
        {
            foreach (string input in inputs) node.Text(1, input);
            node.Text(2, output);
            node.Text(3, output);
            node.Text(4, kind);
            foreach ((string name, object value) in all)
                node.Message(5, attribute => WriteAttribute(attribute, name, value));
        });
        return output;
    }

    /// <summary>Adds a constant.</summary>
    /// <returns>Its name.</returns>
    public string Constant(string name, ReadOnlySpan<long> extents, ReadOnlySpan<float> values) =>
        Constant(name, extents, Element.Float, MemoryMarshal.AsBytes(values));

    public string Constant(string name, ReadOnlySpan<long> values) =>
        Constant(name, [values.Length], Element.Integer64, MemoryMarshal.AsBytes(values));

    /// <param name="extents">null stands for the batch.</param>
    /// <returns>Its name.</returns>
    public string Input(string name, Element element, params int?[] extents) =>
        Declare(_inputs, 11, name, element, extents);

    /// <param name="extents">null stands for the batch.</param>
    public void Output(string name, params int?[] extents) => Declare(_outputs, 12, name, Element.Float, extents);

    /// <summary>Writes the whole model.</summary>
    public void Save(Stream stream, string producer, string version, IEnumerable<(string Key, string Value)> metadata)
    {
        var graph = new ProtobufWriter();
        graph.Text(2, producer);
        var model = new ProtobufWriter();
        model.Integer(1, IrVersion);
        model.Text(2, producer);
        model.Text(3, version);
        model.Message(8, set => set.Integer(2, OperatorSet));
        foreach ((string key, string value) in metadata)
        {
            model.Message(14, entry =>
            {
                entry.Text(1, key);
                entry.Text(2, value);
            });
        }

        // The graph's parts are fields of one message: they may simply follow each other.
        var whole = new ProtobufWriter();
        whole.Bytes(
            7, [.. _nodes.Written, .. graph.Written, .. _constants.Written, .. _inputs.Written, .. _outputs.Written]);
        stream.Write(model.Written);
        stream.Write(whole.Written);
    }

    private string Constant(string name, ReadOnlySpan<long> extents, Element element, ReadOnlySpan<byte> bytes)
    {
        var tensor = new ProtobufWriter();
        foreach (long extent in extents) tensor.Integer(1, extent);
        tensor.Integer(2, (int)element);
        tensor.Text(8, name);
        tensor.Bytes(9, bytes);
        _constants.Bytes(5, tensor.Written);
        return name;
    }

    private static string Declare(ProtobufWriter to, int field, string name, Element element, int?[] extents)
    {
        to.Message(field, value =>
        {
            value.Text(1, name);
            value.Message(2, type => type.Message(1, tensor =>
            {
                tensor.Integer(1, (int)element);
                tensor.Message(2, shape =>
                {
                    foreach (int? extent in extents)
                    {
                        shape.Message(1, dimension =>
                        {
                            if (extent is { } known) dimension.Integer(1, known);
                            else dimension.Text(2, "batch");
                        });
                    }
                });
            }));
        });
        return name;
    }

    private static void WriteAttribute(ProtobufWriter attribute, string name, object value)
    {
        attribute.Text(1, name);
        switch (value)
        {
            case float number:
                attribute.Number(2, number);
                attribute.Integer(20, AttributeFloat);
                break;
            case int integer:
                attribute.Integer(3, integer);
                attribute.Integer(20, AttributeInteger);
                break;
            case string text:
                attribute.Text(4, text);
                attribute.Integer(20, AttributeText);
                break;
            case int[] integers:
                foreach (int integer in integers) attribute.Integer(8, integer);
                attribute.Integer(20, AttributeIntegers);
                break;
            default:
                throw new ArgumentException(
                    $"An attribute '{name}' of type {value.GetType()} is not written.", nameof(value));
        }
    }
}
