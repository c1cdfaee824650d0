using System.Runtime.Intrinsics;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <summary>The seam behind which one way of computing convolutions can replace another. Shapes were checked before.</summary>
internal abstract class ConvolutionEngine : IDisposable
{
    public static ConvolutionEngine Create(InstructionSet instructionSet, WorkerPool pool) => instructionSet switch
    {
        InstructionSet.Avx512 => new DirectConvolution<WideKernels<Vector512<float>, Lanes512>>(pool),
        InstructionSet.Avx2 => new DirectConvolution<NarrowKernels<Vector256<float>, Lanes256>>(pool),
        _ => new DirectConvolution<NarrowKernels<Vector128<float>, Lanes128>>(pool),
    };

    public abstract void Forward(
        Tensor input, Tensor weights, Tensor? bias, Convolution2dGeometry geometry, bool relu, Tensor output);

    public abstract void InputGradient(
        Tensor outputGradient, Tensor weights, Convolution2dGeometry geometry, Tensor inputGradient);

    public abstract void WeightGradient(
        Tensor input, Tensor outputGradient, Convolution2dGeometry geometry, Tensor weightGradient);

    public abstract void Dispose();
}
