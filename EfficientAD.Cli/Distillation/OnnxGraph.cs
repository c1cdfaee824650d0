using System.Text;
using EfficientAD.Models;

namespace EfficientAD.Cli.Distillation;

/// <summary>As much of an ONNX file (protobuf) as it takes to name the values inside, and to hand some of them
/// out.</summary>
/// <remarks>ONNX Runtime only computes declared outputs. Where protobuf finds a message field twice it merges both, so
/// declaring more outputs takes a few bytes behind the file's end, and the file itself stays as it is.</remarks>
internal sealed class OnnxGraph
{
    // Field numbers of onnx.proto.
    private const int Graph = 7, Node = 1, Output = 12, NodeOutput = 2, NodeOperator = 4, ValueName = 1;
    private const int LengthDelimited = 2;

    private readonly ReadOnlyMemory<byte> _model;
    private readonly HashSet<string> _declared = [];
    private readonly Dictionary<string, string> _operators = [];

    /// <exception cref="ModelFormatException">This is no ONNX model.</exception>
    public OnnxGraph(string file, ReadOnlyMemory<byte> model)
    {
        _model = model;
        try
        {
            foreach ((int field, ReadOnlyMemory<byte> graph) in Messages(model))
                if (field == Graph) ReadGraph(graph);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentOutOfRangeException or OverflowException
            or InvalidOperationException)
        {
            throw new ModelFormatException(
                $"{file} is no ONNX model, or damaged: its protobuf fields do not fit into it. Get the file again.", e);
        }

        if (_operators.Count == 0)
        {
            throw new ModelFormatException(
                $"{file} is no ONNX model: it holds no graph with nodes. Get the file again.");
        }
    }

    /// <summary>Declared outputs first, then every value that a node computes, as "name (operator)".</summary>
    public IEnumerable<string> Describe() => _declared
        .Concat(_operators.Keys.Where(name => !_declared.Contains(name)))
        .Select(name => _operators.TryGetValue(name, out string? kind) ? $"{name} ({kind})" : name);

    public bool Computes(string value) => _operators.ContainsKey(value);

    /// <summary>The model with these values among its outputs.</summary>
    public byte[] WithOutputs(IEnumerable<string> values)
    {
        byte[] graph = [.. values.Where(value => !_declared.Contains(value))
            .SelectMany(value => Field(Output, Field(ValueName, Encoding.UTF8.GetBytes(value))))];
        return graph.Length == 0 ? _model.ToArray() : [.. _model.Span, .. Field(Graph, graph)];
    }

    private void ReadGraph(ReadOnlyMemory<byte> graph)
    {
        foreach ((int field, ReadOnlyMemory<byte> message) in Messages(graph))
        {
            if (field is not (Output or Node)) continue;
            (int Field, ReadOnlyMemory<byte> Content)[] parts = [.. Messages(message)];
            if (field == Output)
                _declared.Add(Text(parts.First(part => part.Field == ValueName).Content));
            if (field != Node) continue;
            string kind = Text(parts.FirstOrDefault(part => part.Field == NodeOperator).Content);
            foreach ((int part, ReadOnlyMemory<byte> name) in parts)
                if (part == NodeOutput) _operators[Text(name)] = kind;
        }
    }

    /// <summary>The length-delimited fields of a message.</summary>
    private static IEnumerable<(int Field, ReadOnlyMemory<byte> Content)> Messages(ReadOnlyMemory<byte> message)
    {
        int at = 0;
        while (at < message.Length)
        {
            ulong tag = ReadVariable(message.Span, ref at);
            switch (tag & 7)
            {
                case 0: ReadVariable(message.Span, ref at); break;
                case 1: at += 8; break;
                case 5: at += 4; break;
                case LengthDelimited:
                    int length = checked((int)ReadVariable(message.Span, ref at));
                    yield return ((int)(tag >> 3), message.Slice(at, length));
                    at += length;
                    break;
                default: throw new ArgumentOutOfRangeException(nameof(message));
            }
        }
    }

    private static ulong ReadVariable(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }

        throw new OverflowException();
    }

    private static byte[] Field(int number, byte[] content)
    {
        var bytes = new List<byte> { (byte)(number << 3 | LengthDelimited) };
        for (int length = content.Length; ; length >>= 7)
        {
            bytes.Add((byte)(length < 0x80 ? length : length & 0x7F | 0x80));
            if (length < 0x80) break;
        }

        return [.. bytes, .. content];
    }

    private static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);
}
