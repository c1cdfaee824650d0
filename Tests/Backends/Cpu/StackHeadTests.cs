using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends.Cpu;

/// <summary>Heads of a stack against convolutions of the last layer's output, whose operations have tests of their
/// own.</summary>
public class StackHeadTests
{
    // Tiles of every form hang over the edges.
    private static readonly Shape Input = new(4, 3, 49, 40);

    public static TheoryData<int, InstructionSet> Cases => new()
    {
        { 1, InstructionSet.Auto },
        { 3, InstructionSet.Auto },
        { 4, InstructionSet.Auto },
        { 3, InstructionSet.Portable },
        { 4, InstructionSet.Portable },
    };

    [Theory, MemberData(nameof(Cases))]
    public void OutputsAndGradients_AreThoseOfConvolutions(int kernel, InstructionSet instructions)
    {
        Dictionary<string, float[]> stacked = Compute(kernel, 2, instructions, isStacked: true);
        foreach ((string name, float[] expected) in Compute(kernel, 2, instructions, isStacked: false))
        {
            double largest = expected.Max(Math.Abs);
            Assert.NotEqual(0, largest);
            TensorAssert.Close(expected, stacked[name], 2e-5 * largest, because: $"{name}: sums in another order");
        }
    }

    [Fact]
    public void AnyNumberOfThreads_GivesTheSameBits()
    {
        Dictionary<string, float[]> one = Compute(4, 1, InstructionSet.Auto, isStacked: true);
        foreach ((string name, float[] values) in Compute(4, 3, InstructionSet.Auto, isStacked: true))
            TensorAssert.SameBits(one[name], values, name);
    }

    [Fact]
    public void TwoHeadsOfASample_AreRefused()
    {
        using CpuBackend backend = CpuBackendTests.On(1);
        using var tape = new Tape(backend);
        Variable input = Variable.Constant(tape.Allocate(Input));
        var layer = new StackedLayer(
            tape.Allocate(new Shape(32, 3, 4, 4)), tape.Allocate(Shape.Vector(32)), null, null, true);
        var head = new StackHead(
            0, 2, tape.Allocate(new Shape(32, 32, 3, 3)), tape.Allocate(Shape.Vector(32)), null, null);
        var failure = Assert.Throws<ArgumentException>(() => tape.Stack(input, [layer], head, head with { First = 1 }));
        Assert.Contains("samples 1 to 2", failure.Message);
    }

    private static Dictionary<string, float[]> Compute(
        int kernel, int threads, InstructionSet instructions, bool isStacked)
    {
        using CpuBackend backend = CpuBackendTests.On(threads, instructions);
        using var tape = new Tape(backend);
        Variable input = Variable.Constant(tape.Allocate(Input));
        backend.Upload(HostTensor.Random(Input, 1, 0).ToFloats(), input.Value);
        Shape[] shapes =
            [new(32, 3, 4, 4), new(64, 32, 3, 3), new(32, 64, kernel, kernel), new(64, 64, kernel, kernel)];
        Parameter[] weights =
            [.. shapes.Select((shape, i) => Random($"weights {i}", shape, 1 / Math.Sqrt(shape.SampleCount)))];
        Parameter[] biases = [.. shapes.Select((shape, i) => Random($"bias {i}", Shape.Vector(shape.N), 0.1))];

        // Two heads share their weights; the last one's loss leaves a sparse gradient.
        (int First, int Count, int Layer)[] passes = [(0, 1, 2), (1, 2, 3), (3, 1, 2)];
        Variable[] outputs = isStacked ? Stack() : OneByOne();
        Variable target = Variable.Constant(tape.Allocate(outputs[2].Value.Shape));
        Variable loss = tape.Sum(
            tape.MeanSquare(outputs[0]), tape.MeanSquare(outputs[1]), tape.HardFeatureLoss(target, outputs[2], 0.99f));
        // Twice, on other values the second time: parameters' gradients accumulate, the rest is made anew.
        tape.Backward(loss);
        backend.Upload(HostTensor.Random(Input, 2, 0).ToFloats(), input.Value);
        tape.Forward();
        tape.Backward(loss);
        Parameter[] parameters = [.. weights, .. biases];
        Dictionary<string, float[]> results =
            parameters.ToDictionary(p => $"gradient of {p.Name}", p => Download(p.Gradient!));
        for (int i = 0; i < outputs.Length; i++) results[$"output {i}"] = Download(outputs[i].Value);
        foreach (Parameter parameter in parameters) parameter.Dispose();
        return results;

        Variable[] Stack()
        {
            StackedLayer[] layers = [.. Enumerable.Range(0, 2).Select(i => new StackedLayer(
                weights[i].Value, biases[i].Value, weights[i].Gradient, biases[i].Gradient, IsPooled: i == 0))];
            StackHead[] heads = [.. passes.Select(pass => new StackHead(
                pass.First, pass.Count, weights[pass.Layer].Value, biases[pass.Layer].Value,
                weights[pass.Layer].Gradient, biases[pass.Layer].Gradient))];
            Variable[]? stacked = tape.Stack(input, layers, heads);
            Assert.NotNull(stacked);
            return stacked;
        }

        Variable[] OneByOne()
        {
            Variable pooled = tape.AveragePool2d(
                tape.Convolution2d(input, weights[0], biases[0], Convolution2dGeometry.Valid, relu: true), padding: 0);
            Variable hidden = tape.Convolution2d(
                pooled, weights[1], biases[1], Convolution2dGeometry.Valid, relu: true);
            return [.. passes.Select(pass => tape.Convolution2d(
                hidden.Samples(pass.First, pass.Count), weights[pass.Layer], biases[pass.Layer],
                Convolution2dGeometry.Valid, relu: false))];
        }

        Parameter Random(string name, Shape shape, double scale)
        {
            var parameter = new Parameter(backend, name, shape, trainable: true);
            backend.Upload(HostTensor.Random(shape, 3, (ulong)name.Sum(c => c), scale).ToFloats(), parameter.Value);
            return parameter;
        }

        float[] Download(Tensor tensor)
        {
            var values = new float[tensor.Shape.Count];
            backend.Download(tensor, values);
            return values;
        }
    }
}
