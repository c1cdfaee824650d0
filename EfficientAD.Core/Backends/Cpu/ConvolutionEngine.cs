using System.Runtime.Intrinsics;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <summary>The seam behind which one way of computing convolutions can replace another. Shapes were checked
/// before.</summary>
internal abstract class ConvolutionEngine : IDisposable
{
    public static ConvolutionEngine Create(InstructionSet instructionSet, WorkerPool pool)
    {
        var direct = new PhasedConvolution(CreateDirect(instructionSet, pool), pool);
        return instructionSet switch
        {
            InstructionSet.Avx512 =>
                Filter<Vector512<float>, Lanes512, WideProducts<Vector512<float>, Lanes512>>(direct, pool),
            InstructionSet.Avx2 =>
                Filter<Vector256<float>, Lanes256, NarrowProducts<Vector256<float>, Lanes256>>(direct, pool),
            _ => Filter<Vector128<float>, Lanes128, NarrowProducts<Vector128<float>, Lanes128>>(direct, pool),
        };
    }

    /// <summary>Without filtering.</summary>
    public static ConvolutionEngine CreateDirect(InstructionSet instructionSet, WorkerPool pool) =>
        instructionSet switch
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

    private static ConvolutionEngine Filter<TVector, TLanes, TKernels>(ConvolutionEngine direct, WorkerPool pool)
        where TLanes : struct, ILanes<TVector>
        where TKernels : struct, IProductKernels =>
        new FilteringEngine<Form4x4<TVector, TLanes>, Form6x3<TVector, TLanes>, TKernels>(direct, pool);
}
