using System.Runtime.Intrinsics;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu;

/// <summary>The seam behind which one way of computing convolutions can replace another. Shapes were checked before.</summary>
internal abstract class ConvolutionEngine : IDisposable
{
    public static ConvolutionEngine Create(InstructionSet instructionSet, WorkerPool pool) => instructionSet switch
    {
        InstructionSet.Avx512 => CreateWide<Vector512<float>, Lanes512>(pool),
        InstructionSet.Avx2 => CreateNarrow<Vector256<float>, Lanes256>(pool),
        _ => CreateNarrow<Vector128<float>, Lanes128>(pool),
    };

    public abstract void Forward(
        Tensor input, Tensor weights, Tensor? bias, Convolution2dGeometry geometry, bool relu, Tensor output);

    public abstract void InputGradient(
        Tensor outputGradient, Tensor weights, Convolution2dGeometry geometry, Tensor inputGradient);

    public abstract void WeightGradient(
        Tensor input, Tensor outputGradient, Convolution2dGeometry geometry, Tensor weightGradient);

    public abstract void Dispose();

    private static FilteringEngine<Form4x4<TVector, TLanes>, Form6x3<TVector, TLanes>, WideProducts<TVector, TLanes>>
        CreateWide<TVector, TLanes>(WorkerPool pool) where TLanes : struct, ILanes<TVector> =>
        new(new DirectConvolution<WideKernels<TVector, TLanes>>(pool), pool);

    private static FilteringEngine<Form4x4<TVector, TLanes>, Form6x3<TVector, TLanes>, NarrowProducts<TVector, TLanes>>
        CreateNarrow<TVector, TLanes>(WorkerPool pool) where TLanes : struct, ILanes<TVector> =>
        new(new DirectConvolution<NarrowKernels<TVector, TLanes>>(pool), pool);
}
