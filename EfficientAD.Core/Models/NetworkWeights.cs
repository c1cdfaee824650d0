using System.Runtime.InteropServices;
using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Models;

/// <summary>Moves parameters between a backend and safetensors files.</summary>
internal static class NetworkWeights
{
    /// <summary>Reads every parameter from the tensor named <paramref name="prefix"/> + its own name.</summary>
    public static void Load(SafetensorsFile file, string prefix, IEnumerable<Parameter> parameters, IBackend backend)
    {
        foreach (Parameter parameter in parameters) Load(file, prefix + parameter.Name, parameter.Value, backend);
    }

    /// <summary>Reads one tensor; a vector [1, c, 1, 1] is stored as [c].</summary>
    public static void Load(SafetensorsFile file, string name, Tensor destination, IBackend backend)
    {
        SafetensorsTensor source = file.Get(name);
        long[] expected = Extents(destination.Shape);
        if (!source.Shape.SequenceEqual(expected))
        {
            throw new ModelFormatException(
                $"{file.Name}: tensor '{name}' is [{string.Join(", ", source.Shape.ToArray())}] but the network expects [{string.Join(", ", expected)}].");
        }

        // 32-bit values go straight from the mapped file to the backend.
        ReadOnlySpan<float> values = source.Type == SafetensorsType.F32 ? MemoryMarshal.Cast<byte, float>(source.Bytes) : Converted(source);
        if (!float.IsFinite(TensorPrimitives.Sum(values)) && values.ContainsAnyExceptFinite())
            throw new ModelFormatException($"{file.Name}: tensor '{name}' holds values that are not finite. The file is damaged or its training diverged.");
        backend.Upload(values, destination);
    }

    /// <summary>Adds one tensor to a file in the making.</summary>
    public static void Add(
        SafetensorsWriter writer, IBackend backend, string name, Tensor source, SafetensorsType type = SafetensorsType.F32)
    {
        var values = new float[source.Shape.Count];
        backend.Download(source, values);
        writer.Add(name, Extents(source.Shape), values, type);
    }

    private static float[] Converted(SafetensorsTensor source)
    {
        var values = new float[source.Count];
        source.ReadFloats(values);
        return values;
    }

    private static bool ContainsAnyExceptFinite(this ReadOnlySpan<float> values)
    {
        foreach (float value in values)
            if (!float.IsFinite(value)) return true;
        return false;
    }

    private static long[] Extents(Shape shape) =>
        shape is { N: 1, H: 1, W: 1 } ? [shape.C] : [shape.N, shape.C, shape.H, shape.W];
}
