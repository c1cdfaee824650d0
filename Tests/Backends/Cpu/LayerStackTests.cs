using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends.Cpu;

/// <summary>Stacked layers against the same layers one by one, whose operations have tests of their own.</summary>
public class LayerStackTests
{
    // Two pooled layers that drop odd rows or columns, kernels of every size, tiles that hang over the edges.
    private static readonly (int Outputs, int Kernel)[] Layers = [(32, 4), (64, 4), (32, 1), (64, 3), (64, 4)];
    private static readonly Shape Input = new(2, 3, 61, 48);

    public static TheoryData<InstructionSet> InstructionSets =>
        [InstructionSet.Auto, InstructionSet.Avx2, InstructionSet.Portable];

    [Theory, MemberData(nameof(InstructionSets))]
    public void OutputAndGradients_AreThoseOfTheLayersOneByOne(InstructionSet instructions)
    {
        if (instructions == InstructionSet.Avx2 && !System.Runtime.Intrinsics.Vector256.IsHardwareAccelerated) return;
        Dictionary<string, float[]> stacked = Compute(2, instructions, isStacked: true);
        foreach ((string name, float[] expected) in Compute(2, instructions, isStacked: false))
        {
            double largest = expected.Max(Math.Abs);
            Assert.NotEqual(0, largest);
            TensorAssert.Close(
                expected, stacked[name], 2e-5 * largest, because: $"{name}: sums in another order, pools before tiles");
        }
    }

    [Fact]
    public void AnyNumberOfThreads_GivesTheSameBits()
    {
        Dictionary<string, float[]> one = Compute(1, InstructionSet.Auto, isStacked: true);
        foreach ((string name, float[] values) in Compute(3, InstructionSet.Auto, isStacked: true))
            TensorAssert.SameBits(one[name], values, name);
    }

    [Fact]
    public void LayersThatDoNotFit_AreRefused()
    {
        using CpuBackend backend = CpuBackendTests.On(1);
        using Tensor input = backend.Allocate(Input), bias = backend.Allocate(Shape.Vector(33));
        using Tensor weights = backend.Allocate(new Shape(33, 3, 4, 4));
        using Tensor next = backend.Allocate(new Shape(33, 33, 3, 3));
        Assert.Null(
            backend.Stack(input, [new(weights, bias, null, null, true), new(next, bias, null, null, false)], []));
    }

    private static Dictionary<string, float[]> Compute(int threads, InstructionSet instructions, bool isStacked)
    {
        using CpuBackend backend = CpuBackendTests.On(threads, instructions);
        using var tape = new Tape(backend);
        Variable input = Variable.Constant(tape.Allocate(Input));
        backend.Upload(HostTensor.Random(Input, 1, 0).ToFloats(), input.Value);
        var parameters = new List<Parameter>();
        int channels = Input.C;
        foreach ((int outputs, int kernel) in Layers)
        {
            double scale = 1 / Math.Sqrt(channels * kernel * kernel);
            Add("weights", new Shape(outputs, channels, kernel, kernel), scale);
            Add("bias", Shape.Vector(outputs), 0.1);
            channels = outputs;
        }

        Variable output = isStacked ? Stack(tape, input, parameters) : OneByOne(tape, input, parameters);
        Variable loss = tape.MeanSquare(output);
        // Twice, on other values the second time: parameters' gradients accumulate, the rest is made anew.
        tape.Backward(loss);
        backend.Upload(HostTensor.Random(Input, 2, 0).ToFloats(), input.Value);
        tape.Forward();
        tape.Backward(loss);
        Dictionary<string, float[]> results =
            parameters.ToDictionary(p => $"gradient of {p.Name}", p => Download(p.Gradient!));
        results["output"] = Download(output.Value);
        foreach (Parameter parameter in parameters) parameter.Dispose();
        return results;

        void Add(string name, Shape shape, double scale)
        {
            var parameter = new Parameter(backend, $"{name} {parameters.Count / 2}", shape, trainable: true);
            backend.Upload(HostTensor.Random(shape, 3, (ulong)parameters.Count, scale).ToFloats(), parameter.Value);
            parameters.Add(parameter);
        }

        float[] Download(Tensor tensor)
        {
            var values = new float[tensor.Shape.Count];
            backend.Download(tensor, values);
            return values;
        }
    }

    private static Variable Stack(Tape tape, Variable input, List<Parameter> parameters)
    {
        var layers = new StackedLayer[Layers.Length];
        for (int i = 0; i < layers.Length; i++)
        {
            (Parameter weights, Parameter bias) = (parameters[2 * i], parameters[2 * i + 1]);
            layers[i] = new StackedLayer(weights.Value, bias.Value, weights.Gradient, bias.Gradient, IsPooled: i < 2);
        }

        Variable[]? outputs = tape.Stack(input, layers);
        Assert.NotNull(outputs);
        return Assert.Single(outputs);
    }

    private static Variable OneByOne(Tape tape, Variable input, List<Parameter> parameters)
    {
        Variable x = input;
        for (int i = 0; i < Layers.Length; i++)
        {
            x = tape.Convolution2d(
                x, parameters[2 * i], parameters[2 * i + 1], Convolution2dGeometry.Valid, relu: true);
            if (i < 2) x = tape.AveragePool2d(x, padding: 0);
        }

        return x;
    }
}
