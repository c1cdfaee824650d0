using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

/// <summary>Gradients of a convolution whose output gradient is zero almost everywhere: its other values are listed,
/// and only they are multiplied.</summary>
internal sealed class SparseConvolution(CudaStream stream, KernelLibrary kernels, Scratch scratch)
{
    // As sparse_gradient.cu has them.
    private const int ListThreads = 256, Channels = 64, Columns = 64, WeightThreads = 256, EntryBytes = 8;
    private const string File = "sparse_gradient";

    private nint _sparse;

    /// <summary>Says that a gradient holds mostly zeros. Nothing but time depends on it.</summary>
    public void Expect(Tensor gradient) => _sparse = gradient.Address;

    /// <summary>Whether the call is better computed here.</summary>
    public bool Suits(in ConvolutionCall call) => call.Output.Address == _sparse
        && call.Direction != ConvolutionDirection.Forward && call.Geometry is { Stride: 1, Padding: 0 }
        && call.Weights.Shape.H == call.Weights.Shape.W;

    /// <summary>Accumulates the gradient of the input, or of the weights; not that of the bias.</summary>
    public void Run(in ConvolutionCall call)
    {
        if (call.Direction == ConvolutionDirection.InputGradient) InputGradient(call);
        else WeightGradient(call);
    }

    private void InputGradient(in ConvolutionCall call)
    {
        Shape input = call.Input.Shape, output = call.Output.Shape;
        (nint entries, nint counts) = List(call.Output, "sparse_gradient_rows", output.H);
        int tiles = ConvolutionProduct.CeilingOf(input.W, Columns);
        var grid = new Extent(ConvolutionProduct.CeilingOf(input.C, Channels), input.H, checked(input.N * tiles));
        kernels.Get(File, "sparse_gradient_input").Launch(
            stream, new LaunchShape(grid, new Extent(Channels)), entries, counts, call.Weights.Address, output.C,
            output.H, output.W, input.C, input.H, input.W, call.Weights.Shape.H, call.Input.Address);
    }

    private void WeightGradient(in ConvolutionCall call)
    {
        Shape input = call.Input.Shape, output = call.Output.Shape;
        (nint entries, nint counts) = List(call.Output, "sparse_gradient_channels", output.C);
        var grid = new Extent(
            ConvolutionProduct.CeilingOf((int)call.Weights.Shape.SampleCount, WeightThreads), output.C);
        kernels.Get(File, "sparse_gradient_weights").Launch(
            stream, new LaunchShape(grid, new Extent(WeightThreads)), entries, counts, call.Input.Address, input.N,
            output.C, output.H, output.W, input.C, input.H, input.W, call.Weights.Shape.H, call.Weights.Address);
    }

    /// <param name="lists">Of each sample.</param>
    private (nint Entries, nint Counts) List(Tensor gradient, string kernel, int lists)
    {
        Shape shape = gradient.Shape;
        long entryBytes = Scratch.Align(shape.Count * EntryBytes);
        nint entries = scratch.Reserve(entryBytes + (long)shape.N * lists * sizeof(int));
        nint counts = entries + (nint)entryBytes;
        kernels.Get(File, kernel).Launch(
            stream, new LaunchShape(new Extent(lists, shape.N), new Extent(ListThreads)), gradient.Address, shape.C,
            shape.H, shape.W, entries, counts);
        return (entries, counts);
    }
}
