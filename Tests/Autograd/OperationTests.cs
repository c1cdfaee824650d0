using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Tensors;
using EfficientAD.Tests.Backends;

namespace EfficientAD.Tests.Autograd;

/// <summary>Every operation on the tape against finite differences. Values: see BackendTests.</summary>
public class OperationTests
{
    [Theory]
    [InlineData(1, 1, 1, 1, 1, 1, 1, 0)] // smallest
    [InlineData(2, 3, 7, 5, 4, 3, 1, 1)] // nothing divides anything
    [InlineData(1, 2, 9, 8, 3, 4, 2, 1)] // the encoder
    [InlineData(1, 2, 4, 5, 3, 4, 1, 2)] // the decoder
    public void Convolution2d_MatchesFiniteDifferences(
        int n, int ci, int h, int w, int co, int kernel, int stride, int padding)
    {
        var geometry = new Convolution2dGeometry(stride, padding);
        HostTensor input = HostTensor.Random(new Shape(n, ci, h, w), 1, 0);
        HostTensor bias = HostTensor.Random(Shape.Vector(co), 1, 2);
        HostTensor weights = HostTensor.Random(
            new Shape(co, ci, kernel, kernel), 1, 1, 1 / Math.Sqrt(ci * kernel * kernel));
        GradientCheck.Run(
            [input, weights, bias], (tape, x) => tape.Convolution2d(x[0], x[1], x[2], geometry, relu: false));

        // Far from the kink on either side, so that no step crosses it: some channels pass, some are cut off.
        for (int c = 0; c < co; c++) bias.Values[c] = c % 2 == 0 ? 4 : -4;
        GradientCheck.Run(
            [input, weights, bias], (tape, x) => tape.Convolution2d(x[0], x[1], x[2], geometry, relu: true));
    }

    [Theory, InlineData(1, 1, 2, 2, 0), InlineData(2, 3, 5, 7, 0), InlineData(2, 3, 5, 7, 1)]
    public void AveragePool2d_MatchesFiniteDifferences(int n, int c, int h, int w, int padding) =>
        GradientCheck.Run(
            [HostTensor.Random(new Shape(n, c, h, w), 1, 0)], (tape, x) => tape.AveragePool2d(x[0], padding));

    [Theory]
    [InlineData(1, 1, 1, 1, 3, 3)]
    [InlineData(2, 3, 5, 7, 11, 13)]
    [InlineData(1, 2, 12, 9, 5, 4)] // shrinks: some inputs have no output
    [InlineData(1, 2, 5, 7, 5, 7)]
    public void ResizeBilinear_MatchesFiniteDifferences(int n, int c, int h, int w, int toH, int toW) =>
        GradientCheck.Run(
            [HostTensor.Random(new Shape(n, c, h, w), 1, 0)], (tape, x) => tape.ResizeBilinear(x[0], toH, toW));

    [Theory, InlineData(0f), InlineData(0.2f)]
    public void Dropout_MatchesFiniteDifferences(float rate) =>
        GradientCheck.Run(
            [HostTensor.Random(new Shape(2, 3, 5, 7), 1, 0)],
            (tape, x) => tape.Dropout(x[0], rate, () => new CounterRandom(3, 4)));

    [Fact]
    public void MeanSquaredError_MatchesFiniteDifferences()
    {
        HostTensor a = HostTensor.Random(new Shape(2, 1, 3, 5), 1, 0), b = HostTensor.Random(a.Shape, 1, 1);
        GradientCheck.Run([a, b], (tape, x) => tape.MeanSquaredError(x[0], x[1]));
        GradientCheck.Run([a], (tape, x) => tape.MeanSquare(x[0]));
    }

    [Fact]
    public void HardFeatureLoss_MatchesFiniteDifferences()
    {
        // One difference in five is large and the quantile falls into the gap, so that no step changes the choice.
        HostTensor student = HostTensor.Random(new Shape(2, 3, 4, 5), 1, 0, 0.25);
        HostTensor teacher = HostTensor.Random(student.Shape, 1, 1, 0.25);
        for (int i = 0; i < student.Values.Length; i += 5) student.Values[i] += 2;
        GradientCheck.Run([student], (tape, x) =>
        {
            Tensor features = tape.Allocate(teacher.Shape);
            tape.Backend.Upload(teacher.ToFloats(), features);
            return tape.HardFeatureLoss(Variable.Constant(features), x[0], 0.8f);
        });
    }

    [Fact]
    public void Sum_PassesItsGradientToEveryLoss()
    {
        HostTensor a = HostTensor.Random(new Shape(1, 1, 2, 3), 1, 0);
        HostTensor b = HostTensor.Random(new Shape(1, 2, 2, 2), 1, 1);
        GradientCheck.Run(
            [a, b], (tape, x) => tape.Sum(tape.MeanSquare(x[0]), tape.MeanSquare(x[1]), tape.MeanSquare(x[0])));
    }

    [Fact]
    public void AVariableUsedTwice_GetsTheSumOfItsGradients()
    {
        // Whole, as views of samples before and after an operation, and with the same weights twice.
        HostTensor input = HostTensor.Random(new Shape(2, 2, 5, 6), 1, 0);
        HostTensor weights = HostTensor.Random(new Shape(3, 2, 3, 3), 1, 1, 0.25);
        GradientCheck.Run([input, weights, HostTensor.Random(Shape.Vector(3), 1, 2)], (tape, x) =>
        {
            Variable all = tape.Convolution2d(x[0], x[1], x[2], new(1, 1), relu: false);
            Variable second = tape.Convolution2d(x[0].Samples(1, 1), x[1], x[2], new(1, 0), relu: false);
            return tape.Sum(tape.MeanSquare(all), tape.MeanSquare(all.Samples(0, 1)), tape.MeanSquare(second));
        });
    }

    [Fact]
    public void NormalizeChannels_RefusesWhatNeedsAGradient()
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using var tape = new Tape(backend);
        using var parameter = new Parameter(backend, "input", new Shape(1, 2, 3, 3), trainable: true);
        using Tensor statistics = backend.Allocate(Shape.Vector(2));
        Assert.Throws<ArgumentException>(() => tape.NormalizeChannels(parameter, statistics, statistics));
    }
}
