using EfficientAD.Tensors;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Backends;

/// <summary>Values on the host, in double: what the plain loops read and write.</summary>
internal sealed class HostTensor(Shape shape, double[] values)
{
    public HostTensor(Shape shape) : this(shape, new double[shape.Count]) { }

    public Shape Shape { get; } = shape;

    public double[] Values { get; } = values;

    public ref double this[int n, int c, int y, int x] => ref Values[((n * Shape.C + c) * Shape.H + y) * Shape.W + x];

    /// <summary>Floats uniform in +-scale, as counter_random.py draws them.</summary>
    public static HostTensor Random(Shape shape, ulong seed, ulong stream, double scale = 1) =>
        FromFloats(shape, Drawn.Symmetric(seed, stream, scale, shape.Count));

    public static HostTensor FromFloats(Shape shape, float[] values) =>
        new(shape, Array.ConvertAll(values, value => (double)value));

    /// <summary>All NaN: the contents of a destination that must be overwritten everywhere.</summary>
    public static HostTensor Unwritten(Shape shape) => Filled(shape, double.NaN);

    public static HostTensor Filled(Shape shape, double value)
    {
        var tensor = new HostTensor(shape);
        Array.Fill(tensor.Values, value);
        return tensor;
    }

    public HostTensor Map(Func<double, double> function) =>
        new(Shape, Array.ConvertAll(Values, value => function(value)));

    /// <summary>A copy in which one value is NaN.</summary>
    public HostTensor WithNan(int index)
    {
        var copy = Map(value => value);
        copy.Values[index] = double.NaN;
        return copy;
    }

    public static HostTensor operator +(HostTensor a, HostTensor b)
    {
        Assert.Equal(a.Shape, b.Shape);
        var sum = new HostTensor(a.Shape);
        for (int i = 0; i < sum.Values.Length; i++) sum.Values[i] = a.Values[i] + b.Values[i];
        return sum;
    }

    public float[] ToFloats() => Array.ConvertAll(Values, value => (float)value);
}
