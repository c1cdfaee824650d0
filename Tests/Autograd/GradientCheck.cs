using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends.Cpu;
using EfficientAD.Tensors;
using EfficientAD.Tests.Backends;

namespace EfficientAD.Tests.Autograd;

/// <summary>Compares the gradients of an operation on the tape with central differences.</summary>
/// <remarks>The quantity differentiated is the product of the output with a random vector r, summed in double. On the
/// tape it is a mean squared error against output - r n / 2, whose gradient at this output is r.</remarks>
internal static class GradientCheck
{
    // Every operation is linear or quadratic between its kinks, where central differences are exact at any step; this
    // one keeps the outputs' float rounding (2^-24, over twice the step) at 1e-6 per output.
    private const double Step = 1.0 / 32;
    private const double Tolerance = 2e-4;
    private const int PointsPerInput = 60;

    /// <param name="inputs">Values at which to differentiate; each becomes a parameter.</param>
    public static void Run(HostTensor[] inputs, Func<Tape, Variable[], Variable> operation)
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 1 });
        using var tape = new Tape(backend);
        Parameter[] parameters = Array.ConvertAll(
            inputs, input => new Parameter(backend, "input", input.Shape, trainable: true));
        for (int i = 0; i < inputs.Length; i++) backend.Upload(inputs[i].ToFloats(), parameters[i].Value);

        Variable output = operation(tape, parameters);
        HostTensor direction = HostTensor.Random(output.Value.Shape, 11, 0), target = new(direction.Shape);
        float[] value = Download(output.Value);
        for (int i = 0; i < value.Length; i++) target.Values[i] = value[i] - direction.Values[i] * value.Length / 2;
        using Tensor targetTensor = backend.Allocate(target.Shape);
        backend.Upload(target.ToFloats(), targetTensor);
        Variable loss = tape.MeanSquaredError(output, Variable.Constant(targetTensor));

        // Twice: gradients of parameters accumulate, those of intermediate results do not.
        tape.Backward(loss);
        tape.Backward(loss);

        for (int i = 0; i < inputs.Length; i++)
            Compare(i, parameters[i].Value, Download(parameters[i].Gradient!));
        foreach (Parameter parameter in parameters) parameter.Dispose();

        void Compare(int input, Tensor tensor, float[] gradient)
        {
            float[] values = Download(tensor);
            int points = Math.Min(PointsPerInput, values.Length);
            for (int point = 0; point < points; point++)
            {
                int index = (int)((long)point * values.Length / points);
                double difference = (Product(index, Step) - Product(index, -Step)) / (2 * Step);
                Assert.True(
                    Math.Abs(2 * difference - gradient[index]) <= Tolerance * (1 + Math.Abs(difference)),
                    $"Input {input} {tensor.Shape}, value {index}: gradient {gradient[index] / 2}, not {difference}.");
            }

            double Product(int index, double step)
            {
                float original = values[index];
                values[index] = (float)(original + step);
                backend.Upload(values, tensor);
                tape.Forward();
                float[] moved = Download(output.Value);
                values[index] = original;
                backend.Upload(values, tensor);
                double product = 0;
                for (int k = 0; k < moved.Length; k++) product += moved[k] * direction.Values[k];
                return product;
            }
        }

        float[] Download(Tensor tensor)
        {
            var data = new float[tensor.Shape.Count];
            backend.Download(tensor, data);
            return data;
        }
    }
}
