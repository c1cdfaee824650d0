using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Models;

/// <summary>Moves parameters between a backend and safetensors files.</summary>
internal static class NetworkWeights
{
    /// <summary>Reads every parameter from the tensor named <paramref name="prefix"/> + its own name;
    /// <see cref="Negligible"/> ones become 0.</summary>
    public static void Load(SafetensorsFile file, string prefix, IEnumerable<Parameter> parameters, IBackend backend)
    {
        foreach (Parameter parameter in parameters)
            Load(file, prefix + parameter.Name, parameter.Value, backend, dropsNegligible: true);
    }

    /// <summary>Reads one tensor; a vector [1, c, 1, 1] is stored as [c].</summary>
    public static void Load(
        SafetensorsFile file, string name, Tensor destination, IBackend backend, bool dropsNegligible = false)
    {
        SafetensorsTensor source = file.Get(name);
        CheckShape(file.Name, name, source.Shape, destination.Shape);

        // 32-bit values go straight from the mapped file to the backend.
        ReadOnlySpan<float> values = source.Type == SafetensorsType.F32
            ? MemoryMarshal.Cast<byte, float>(source.Bytes)
            : Converted(source);
        Upload(file.Name, name, values, destination, backend, dropsNegligible);
    }

    /// <summary>Reads one tensor by whose values something is divided or weighed.</summary>
    /// <exception cref="ModelFormatException">A value is not positive.</exception>
    public static void LoadPositive(SafetensorsFile file, string name, Tensor destination, IBackend backend)
    {
        Load(file, name, destination, backend);
        float least = backend.Download(destination).Min();
        if (least <= 0)
            throw new ModelFormatException(
                $"{file.Name}: '{name}' holds {least}, but every value must be positive. The file is damaged.");
    }

    /// <summary>Reads one tensor of a file of any format. Memory is taken for the shape that the network
    /// expects.</summary>
    public static void Load(string file, WeightTensor source, Tensor destination, IBackend backend)
    {
        // A vector may be stored with its other extents of 1, as PyTorch keeps statistics.
        bool isVector = destination.Shape is { N: 1, H: 1, W: 1 } && source.Shape is [1, _, 1, 1];
        CheckShape(file, source.Name, isVector ? source.Shape.AsSpan(1, 1) : source.Shape, destination.Shape);
        var values = new float[destination.Shape.Count];
        source.Read(values);
        Upload(file, source.Name, values, destination, backend);
    }

    /// <summary>Adds every parameter of a network to a file in the making, as <paramref name="prefix"/> + its own
    /// name.</summary>
    public static void Add(SafetensorsWriter writer, IBackend backend, string prefix, Network network)
    {
        foreach (Parameter parameter in network.Parameters)
            Add(writer, backend, prefix + parameter.Name, parameter.Value);
    }

    /// <summary>Adds one tensor to a file in the making.</summary>
    public static void Add(
        SafetensorsWriter writer, IBackend backend, string name, Tensor source,
        SafetensorsType type = SafetensorsType.F32) =>
        writer.Add(name, Extents(source.Shape), backend.Download(source), type);

    private static void CheckShape(string file, string name, ReadOnlySpan<long> shape, Shape wanted)
    {
        long[] expected = Extents(wanted);
        if (shape.SequenceEqual(expected)) return;
        throw new ModelFormatException(
            $"{file}: tensor '{SafetensorsHeader.Printable(name)}' is [{string.Join(", ", shape.ToArray())}] but the " +
            $"network expects [{string.Join(", ", expected)}].");
    }

    private static void Upload(
        string file, string name, ReadOnlySpan<float> values, Tensor destination, IBackend backend,
        bool dropsNegligible = false)
    {
        if (!AreFinite(values, out bool someNegligible))
            throw new ModelFormatException(
                $"{file}: tensor '{SafetensorsHeader.Printable(name)}' holds values that are not finite. The file is " +
                "damaged or its training diverged.");
        if (dropsNegligible && someNegligible)
        {
            float[] seen = values.ToArray();
            Negligible.DropWeights(seen);
            values = seen;
        }

        backend.Upload(values, destination);
    }

    private static float[] Converted(SafetensorsTensor source)
    {
        var values = new float[source.Count];
        source.ReadFloats(values);
        return values;
    }

    /// <param name="someNegligible">Whether some are <see cref="Negligible"/> but not 0.</param>
    /// <remarks>Optimised at its first call, as programs load models when they start.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool AreFinite(ReadOnlySpan<float> values, out bool someNegligible)
    {
        // 0 times a value is 0, or no number where the value is not finite.
        Vector<float> zeros = Vector<float>.Zero, most = new(float.MaxValue), least = most;
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var some = new Vector<float>(values[i..]);
            zeros += Vector<float>.Zero * some;
            Vector<float> size = Vector.Abs(some);
            least = Vector.Min(least, Vector.ConditionalSelect(Vector.Equals(size, Vector<float>.Zero), most, size));
        }

        float zero = Vector.Sum(zeros);
        someNegligible = Vector.LessThanAny(least, new Vector<float>(Negligible.Weight));
        for (; i < values.Length; i++)
        {
            zero += 0 * values[i];
            someNegligible |= values[i] != 0 && MathF.Abs(values[i]) < Negligible.Weight;
        }

        return zero == 0;
    }

    private static long[] Extents(Shape shape) =>
        shape is { N: 1, H: 1, W: 1 } ? [shape.C] : [shape.N, shape.C, shape.H, shape.W];
}
