using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Tensors;
using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Backends.Cuda;

/// <summary>Gradients by lists of values are those of the CPU, whatever the share of zeros.</summary>
public class SparseConvolutionTests
{
    /// <summary>Input, outputs, kernel, and one of how many values is not zero.</summary>
    public static TheoryData<int, int, int, int, int, int, int> Cases => new()
    {
        { 1, 1, 1, 1, 1, 1, 1 },
        { 2, 70, 9, 71, 5, 4, 50 },  // more than a tile of channels and of columns
        { 1, 3, 6, 7, 37, 3, 1 },    // no zeros at all
        { 1, 5, 8, 8, 4, 4, 1000 },  // all zeros but the last value
    };

    [Theory, MemberData(nameof(Cases))]
    public void Gradients_AreThoseOfTheCpu(int n, int ci, int h, int w, int co, int k, int oneOf)
    {
        Shape input = new(n, ci, h, w), weights = new(co, ci, k, k), output = new(n, co, h - k + 1, w - k + 1);
        float[] gradient = Drawn.Symmetric(1, 3, 1, (int)output.Count);
        for (int i = 0; i < gradient.Length - 1; i++)
            if (i % oneOf != 0 || oneOf > gradient.Length) gradient[i] = 0;
        using var cpu = new CpuBackend(new CpuOptions { Threads = 1 });
        using CudaBackend inOrder = new SimulatedGpu().Open(), shuffled = new SimulatedGpu(seed: 2).Open();
        float[][] expected = Compute(cpu), actual = Compute(inOrder), again = Compute(shuffled);
        for (int i = 0; i < expected.Length; i++)
        {
            TensorAssert.Close(
                expected[i], actual[i], 1e-5 * expected[i].Max(MathF.Abs), because: "sums in another order");
            TensorAssert.SameBits(actual[i], again[i], "under another order of warps");
        }

        float[][] Compute(IBackend backend)
        {
            using Tensor x = Upload(input, 1), filters = Upload(weights, 2), outputGradient = backend.Allocate(output);
            using Tensor inputGradient = Upload(input, 4);
            using Tensor weightGradient = Upload(weights, 5);
            using Tensor biasGradient = Upload(Shape.Vector(co), 6);
            backend.Upload(gradient, outputGradient);
            (backend as CudaBackend)?.ExpectSparse(outputGradient);
            backend.Convolution2dInputGradient(outputGradient, filters, Convolution2dGeometry.Valid, inputGradient);
            backend.Convolution2dWeightGradient(
                x, outputGradient, Convolution2dGeometry.Valid, weightGradient, biasGradient);
            return [backend.Download(inputGradient), backend.Download(weightGradient), backend.Download(biasGradient)];

            Tensor Upload(Shape shape, ulong stream)
            {
                Tensor tensor = backend.Allocate(shape);
                backend.Upload(Drawn.Symmetric(1, stream, 1, (int)shape.Count), tensor);
                return tensor;
            }
        }
    }
}
