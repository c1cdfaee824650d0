using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends;

public abstract partial class BackendTests
{
    [Fact]
    public void Name_IsNotEmpty() => Assert.NotEmpty(Backend.Name);

    [Fact]
    public void Allocate_GivesZeros()
    {
        using Tensor tensor = Backend.Allocate(new Shape(2, 3, 5, 7));
        var values = new float[tensor.Shape.Count];
        Array.Fill(values, 1);
        Backend.Download(tensor, values);
        Assert.All(values, value => Assert.Equal(0, value));
    }

    [Fact]
    public void Fill_And_Copy_WriteTheirDestinationAlone()
    {
        HostTensor source = Random(new Shape(2, 3, 5, 7), 0);
        TensorAssert.SameBits(source.ToFloats(), Run(source.Shape, [source], (on, s, d) => on.Copy(s[0], d)), "Copy");
        float[] filled = Run(source.Shape, [], (on, _, d) => on.Fill(2.5f, d));
        Assert.All(filled, value => Assert.Equal(2.5f, value));
    }

    [Fact]
    public void Add_AddsToTheDestination()
    {
        foreach (Shape shape in new[] { new Shape(1, 1, 1, 1), new Shape(2, 3, 5, 7), new Shape(1, 64, 33, 31) })
        {
            HostTensor source = Random(shape, 0).WithNan(0);
            (HostTensor initial, float[] sum) = Accumulate(shape, [source], (on, s, d) => on.Add(s[0], d));
            TensorAssert.Close(
                (initial + source).Values, sum, Math.ScaleB(1, -24), because: "one rounding of a sum below 2");
        }
    }

    [Fact]
    public void ShapesThatClash_Throw()
    {
        using Tensor a = Backend.Allocate(new Shape(1, 2, 4, 4)), b = Backend.Allocate(new Shape(1, 3, 4, 4));
        using Tensor number = Backend.Allocate(new Shape(1, 1, 1, 1)), vector = Backend.Allocate(Shape.Vector(2));
        Assert.Throws<ArgumentException>(() => Backend.Upload(new float[31], a));
        Assert.Throws<ArgumentException>(() => Backend.Download(a, new float[33]));
        Assert.Throws<ArgumentException>(() => Backend.Copy(a, b));
        Assert.Throws<ArgumentException>(() => Backend.Add(a, b));
        Assert.Throws<ArgumentException>(() => Backend.AveragePool2d(a, 0, b));
        Assert.Throws<ArgumentException>(() => Backend.AveragePool2dBackward(a, 0, b));
        Assert.Throws<ArgumentException>(() => Backend.ResizeBilinear(a, b));
        Assert.Throws<ArgumentException>(() => Backend.ResizeBilinearBackward(a, b));
        Assert.Throws<ArgumentException>(() => Backend.ReluBackward(a, b));
        Assert.Throws<ArgumentException>(() => Backend.Dropout(a, 0.2f, default, b));
        Assert.Throws<ArgumentException>(() => Backend.DropoutBackward(a, 0.2f, default, b));
        Assert.Throws<ArgumentException>(() => Backend.NormalizeChannels(b, vector, vector, b));
        Assert.Throws<ArgumentException>(() => Backend.ChannelMoments(a, new double[3], new double[2]));
        Assert.Throws<ArgumentException>(() => Backend.Quantile(a, 0.5f, vector));
        Assert.Throws<ArgumentException>(() => Backend.MeanSquaredError(a, b, number));
        Assert.Throws<ArgumentException>(() => Backend.MeanSquaredErrorBackward(a, b, number, a, null));
        Assert.Throws<ArgumentException>(() => Backend.HardFeatureLoss(a, b, 0.5f, number, number));
        Assert.Throws<ArgumentException>(() => Backend.HardFeatureLossBackward(a, b, number, number, a));
        Assert.Throws<ArgumentException>(() => Backend.Adam(a, new(), 1, a, a, b));
        Assert.Throws<ArgumentException>(() => Backend.SquaredDifferenceMap(a, a, b));
        Assert.Throws<ArgumentException>(() => Backend.CombineMaps(a, b, 1, 1, 0, a));
        Assert.Throws<ArgumentException>(() => Backend.Pad(a, 1, 0, a));
        Assert.Throws<ArgumentException>(() => Backend.Maximum(a, vector));
    }
}
