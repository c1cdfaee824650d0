using System.Runtime.InteropServices;
using System.Text;
using EfficientAD.Models;
using EfficientAD.Models.Onnx;

namespace EfficientAD.Tests.Models.Onnx;

/// <summary>Puts back the weights that published_weights.py cut out of its ONNX model.</summary>
internal static class OnnxCompletion
{
    private const int Graph = 7, Initializer = 5, TensorDimensions = 1, TensorName = 8, TensorRaw = 9;

    /// <param name="checkpoint">The checkpoint that holds the same weights.</param>
    public static byte[] Complete(byte[] model, string checkpoint)
    {
        using WeightsFile weights = WeightsFile.Open(checkpoint);
        return Rewrite(model, (field, graph) => field == Graph
            ? Rewrite(graph, (inner, tensor) => inner == Initializer ? Fill(tensor, weights) : tensor)
            : graph);
    }

    private static byte[] Fill(byte[] tensor, WeightsFile weights)
    {
        string name = "";
        bool hasValues = false;
        var extents = new List<long>();
        var reader = new ProtobufReader("test", tensor, 0);
        while (reader.Read())
        {
            if (reader.Field == TensorName) name = Encoding.UTF8.GetString(reader.Content);
            if (reader.Field == TensorDimensions) reader.AddNumbers(extents, 8);
            hasValues |= reader.Field == TensorRaw;
        }

        if (hasValues) return tensor;
        WeightTensor source = weights.Get($"state_dict.{name}");
        Assert.Equal(extents, source.Shape);
        var values = new float[source.Shape.Aggregate(1L, (count, extent) => count * extent)];
        source.Read(values);
        return [.. tensor, .. Field(TensorRaw, MemoryMarshal.AsBytes(values.AsSpan()).ToArray())];
    }

    /// <summary>The message with each content replaced.</summary>
    private static byte[] Rewrite(byte[] message, Func<int, byte[], byte[]> replace)
    {
        var result = new MemoryStream();
        var reader = new ProtobufReader("test", message, 0);
        while (reader.Read())
        {
            if (reader.HasContent) result.Write(Field(reader.Field, replace(reader.Field, reader.Content.ToArray())));
            else result.Write([.. Variable((ulong)reader.Field << 3), .. Variable(reader.Number)]);
        }

        return result.ToArray();
    }

    private static byte[] Field(int number, byte[] content) =>
        [.. Variable((ulong)number << 3 | 2), .. Variable((ulong)content.Length), .. content];

    private static byte[] Variable(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value & 0x7F | 0x80));
        return [.. bytes, (byte)value];
    }
}
