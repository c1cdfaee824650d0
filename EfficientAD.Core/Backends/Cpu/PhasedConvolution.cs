using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <summary>A convolution with stride 2 and an even kernel as one with stride 1: the four phases of the input's rows
/// and columns become channels, and so do those of the kernels, which are half as large. No gradient has zeros between
/// its values then, which were three quarters of what a strided gradient multiplied.</summary>
internal sealed unsafe class PhasedConvolution(ConvolutionEngine direct, WorkerPool pool) : ConvolutionEngine
{
    private const int Phases = 4;

    // The same few shapes come again in every step.
    private readonly Dictionary<(Role Role, Shape Shape), Tensor> _tensors = [];

    private enum Role
    {
        Input,
        InputGradient,
        Weights,
        WeightGradient,
    }

    public override void Forward(
        Tensor input, Tensor weights, Tensor? bias, Convolution2dGeometry geometry, bool relu, Tensor output)
    {
        if (!Fits(weights.Shape, geometry)) direct.Forward(input, weights, bias, geometry, relu, output);
        else
        {
            direct.Forward(
                Split(input, geometry.Padding, weights.Shape, output.Shape), Split(weights), bias,
                Convolution2dGeometry.Valid, relu,
                output);
        }
    }

    public override void InputGradient(
        Tensor outputGradient, Tensor weights, Convolution2dGeometry geometry, Tensor inputGradient)
    {
        if (!Fits(weights.Shape, geometry))
        {
            direct.InputGradient(outputGradient, weights, geometry, inputGradient);
            return;
        }

        Tensor phases = Cleared(
            Role.InputGradient, PhasesOf(inputGradient.Shape.C, weights.Shape, outputGradient.Shape));
        direct.InputGradient(outputGradient, Split(weights), Convolution2dGeometry.Valid, phases);
        int padding = geometry.Padding;
        ForEachRow(phases, inputGradient, padding, (phase, row, offset, first, end) =>
        {
            for (int x = first; x < end; x++) row[2 * x + offset] += phase[x];
        });
    }

    public override void WeightGradient(
        Tensor input, Tensor outputGradient, Convolution2dGeometry geometry, Tensor weightGradient)
    {
        if (!Fits(weightGradient.Shape, geometry))
        {
            direct.WeightGradient(input, outputGradient, geometry, weightGradient);
            return;
        }

        Tensor halves = Cleared(Role.WeightGradient, PhasesOf(weightGradient.Shape));
        direct.WeightGradient(
            Split(input, geometry.Padding, weightGradient.Shape, outputGradient.Shape), outputGradient,
            Convolution2dGeometry.Valid,
            halves);
        ForEachRow(halves, weightGradient, padding: 0, (half, row, offset, first, end) =>
        {
            for (int x = first; x < end; x++) row[2 * x + offset] += half[x];
        });
    }

    public override void Dispose()
    {
        foreach (Tensor tensor in _tensors.Values) tensor.Dispose();
        direct.Dispose();
    }

    private static bool Fits(Shape weights, Convolution2dGeometry geometry) =>
        geometry.Stride == 2 && weights.H % 2 == 0 && weights.W % 2 == 0;

    private static Shape PhasesOf(Shape weights) => new(weights.N, Phases * weights.C, weights.H / 2, weights.W / 2);

    /// <summary>As far as the kernel reaches.</summary>
    private static Shape PhasesOf(int channels, Shape weights, Shape output) =>
        new(output.N, Phases * channels, output.H + weights.H / 2 - 1, output.W + weights.W / 2 - 1);

    private Tensor Split(Tensor input, int padding, Shape weights, Shape output)
    {
        Tensor phases = Cleared(Role.Input, PhasesOf(input.Shape.C, weights, output));
        ForEachRow(phases, input, padding, Read);
        return phases;
    }

    private Tensor Split(Tensor weights)
    {
        Tensor halves = Cleared(Role.Weights, PhasesOf(weights.Shape));
        ForEachRow(halves, weights, padding: 0, Read);
        halves.MarkWritten();
        return halves;
    }

    private static void Read(float* phase, float* row, int offset, int first, int end)
    {
        for (int x = first; x < end; x++) phase[x] = row[2 * x + offset];
    }

    private Tensor Cleared(Role role, Shape shape)
    {
        if (!_tensors.TryGetValue((role, shape), out Tensor? tensor))
        {
            var memory = new AlignedMemory(shape.Count * sizeof(float));
            _tensors[(role, shape)] = tensor = new Tensor(shape, memory.Address, memory);
        }

        new Span<float>((void*)tensor.Address, checked((int)shape.Count)).Clear();
        return tensor;
    }

    /// <summary>A row of a phase beside the row of the whole that it is part of: value x of the phase is value 2 x +
    /// offset of the row, for first to end - 1.</summary>
    private delegate void RowAction(float* phase, float* row, int offset, int first, int end);

    private void ForEachRow(Tensor phases, Tensor whole, int padding, RowAction action)
    {
        Shape shape = whole.Shape, part = phases.Shape;
        pool.Run(shape.N * shape.C, plane =>
        {
            float* target = (float*)phases.Address + (long)plane * Phases * part.Plane;
            float* source = (float*)whole.Address + (long)plane * shape.Plane;
            for (int phase = 0; phase < Phases; phase++)
            {
                (int top, int left) = (phase / 2 - padding, phase % 2 - padding);
                int first = Math.Max(0, (1 - left) / 2), end = Math.Min(part.W, (shape.W - left + 1) / 2);
                for (int y = 0; y < part.H; y++, target += part.W)
                {
                    int row = 2 * y + top;
                    if (row >= 0 && row < shape.H) action(target, source + (long)row * shape.W, left, first, end);
                }
            }
        });
    }
}
