using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda;

/// <summary>Convolutions by our own kernels: plans them, packs their weights, launches them.</summary>
internal sealed partial class CudaConvolution(
    CudaStream stream, KernelLibrary kernels, Scratch scratch, CudaPrecision precision)
{
    private const string File = "convolution2d", WeightGradientFile = "convolution2d_weight_gradient";
    private const int ThreadsPerBlock = 256, TapsBehind = 8;

    private readonly Dictionary<(ConvolutionDirection, ConvolutionShape), ConvolutionPlan> _plans = [];
    private readonly CudaDevice _device = stream.Context.Device;

    /// <summary>The seam behind which another way of computing convolutions can take over: one direction of one
    /// convolution, given to the stream.</summary>
    public void Run(in ConvolutionCall call) => Run(call, PlanOf(call));

    /// <summary>The same by a given plan.</summary>
    public void Run(in ConvolutionCall call, ConvolutionPlan plan)
    {
        bool isHalf = ArithmeticOf(call) == ConvolutionArithmetic.Half;
        switch (call.Direction)
        {
            case ConvolutionDirection.Forward when isHalf:
                ForwardHalf(call, plan);
                break;
            case ConvolutionDirection.InputGradient when isHalf:
                InputGradientHalf(call, plan);
                break;
            case ConvolutionDirection.WeightGradient when isHalf:
                WeightGradientHalf(call, plan);
                break;
            case ConvolutionDirection.Forward:
                Forward(call, plan);
                break;
            case ConvolutionDirection.InputGradient:
                InputGradient(call, plan);
                break;
            default:
                WeightGradient(call, plan);
                break;
        }
    }

    private void Forward(in ConvolutionCall call, ConvolutionPlan plan)
    {
        Shape input = call.Input.Shape, weights = call.Weights.Shape, output = call.Output.Shape;
        int depth = (int)weights.SampleCount;
        nint packed = Packed(call, "convolution2d_pack_forward", weights.N, depth, out nint taps);
        bool isWhole = plan.Splits == 1;
        nint parts = isWhole ? 0 : scratch.Reserve(ConvolutionPlan.PartBytes(output.Count, plan.Splits));
        kernels.Get(File, plan.Kernel).Launch(
            stream, plan.Launch, packed, taps, call.Input.Address, isWhole ? AddressOf(call.Bias) : 0,
            isWhole ? call.Output.Address : parts, input.N, input.C, input.H, input.W, output.C, output.H, output.W,
            depth, call.Geometry.Stride, call.Geometry.Padding, isWhole && call.Relu ? 1 : 0);
        if (!isWhole) AddParts(parts, plan.Splits, call);
    }

    private void InputGradient(in ConvolutionCall call, ConvolutionPlan plan)
    {
        Shape input = call.Input.Shape, weights = call.Weights.Shape, output = call.Output.Shape;
        nint packed = Packed(
            call, "convolution2d_pack_input_gradient", input.C, weights.N * weights.Plane, out nint taps);
        bool isWhole = plan.Splits == 1;
        nint parts = isWhole ? 0 : scratch.Reserve(ConvolutionPlan.PartBytes(input.Count, plan.Splits));
        kernels.Get(File, plan.Kernel).Launch(
            stream, plan.Launch, packed, taps, call.Output.Address, isWhole ? call.Input.Address : parts,
            input.N, output.C, output.H, output.W, input.C, input.H, input.W, weights.H, weights.W,
            call.Geometry.Stride, call.Geometry.Padding, isWhole ? 1 : 0);
        if (!isWhole) AddParts(plan, parts, call.Input);
    }

    private void WeightGradient(in ConvolutionCall call, ConvolutionPlan plan)
    {
        Shape input = call.Input.Shape, weights = call.Weights.Shape, output = call.Output.Shape;
        bool isWhole = plan.Splits == 1;
        nint parts = isWhole ? 0 : scratch.Reserve(ConvolutionPlan.PartBytes(weights.Count, plan.Splits));
        kernels.Get(WeightGradientFile, plan.Kernel).Launch(
            stream, plan.Launch, call.Input.Address, call.Output.Address, isWhole ? call.Weights.Address : parts,
            input.N, input.C, input.H, input.W, output.C, output.H, output.W, weights.H, weights.W,
            call.Geometry.Stride, call.Geometry.Padding, isWhole ? 1 : 0);
        if (!isWhole) AddParts(plan, parts, call.Weights);
        BiasGradient(call);
    }

    /// <summary>Adds to the gradient of the bias, if there is one.</summary>
    public void BiasGradient(in ConvolutionCall call)
    {
        if (call.Bias is null) return;
        Shape output = call.Output.Shape;
        kernels.Get(WeightGradientFile, "convolution2d_bias_gradient").Launch(
            stream, new LaunchShape(new Extent(output.C), new Extent(ThreadsPerBlock)),
            call.Output.Address, call.Bias.Address, output.N, output.C, output.Plane);
    }

    /// <summary>output = sum of parts + bias, rectified if the call asks for it.</summary>
    /// <param name="parts">As many outputs as <paramref name="count"/>, one after another.</param>
    public void AddParts(nint parts, int count, in ConvolutionCall call)
    {
        Shape output = call.Output.Shape;
        kernels.Get(File, "convolution2d_add_parts_forward").Launch(
            stream, OneThreadEach(output.Count), parts, AddressOf(call.Bias), call.Output.Address,
            output.Count, output.C, output.Plane, count, call.Relu ? 1 : 0);
    }

    private void AddParts(ConvolutionPlan plan, nint parts, Tensor gradient) =>
        kernels.Get(File, "convolution2d_add_parts_gradient").Launch(
            stream, OneThreadEach(gradient.Shape.Count), parts, gradient.Address, gradient.Shape.Count, plan.Splits);

    /// <summary>The weights as [depth, rows], rows padded to a multiple of 4, and behind them a tap for each of
    /// depth and for the rest of a last stage.</summary>
    private nint Packed(in ConvolutionCall call, string packer, int rows, int depth, out nint taps)
    {
        Shape weights = call.Weights.Shape;
        bool dependsOnStride = call.Direction == ConvolutionDirection.InputGradient;
        var order = new PackedOrder(packer, dependsOnStride ? call.Geometry.Stride : 1);
        long valueBytes = (long)depth * ConvolutionProduct.CeilingOf(rows, 4) * 4 * sizeof(float);
        nint packed = PackedWeights.Find(
            call.Weights, order, valueBytes + (depth + TapsBehind) * sizeof(int), stream, out bool isStale);
        taps = packed + (nint)valueBytes;
        if (!isStale) return packed;
        const int Tile = 32, RowsOfThreads = 8;
        var grid = new Extent(
            ConvolutionProduct.CeilingOf(depth + TapsBehind, Tile), ConvolutionProduct.CeilingOf(rows, Tile));
        kernels.Get(File, packer).Launch(
            stream, new LaunchShape(grid, new Extent(Tile, RowsOfThreads)), call.Weights.Address, packed, taps,
            weights.N, weights.C, weights.H, weights.W, order.Stride);
        return packed;
    }

    private ConvolutionArithmetic ArithmeticOf(in ConvolutionCall call) =>
        ConvolutionArithmetic.Of(precision, call.Direction, call.Geometry, _device.ComputeCapability);

    private ConvolutionPlan PlanOf(in ConvolutionCall call)
    {
        (ConvolutionDirection, ConvolutionShape) key = (call.Direction, call.Shape);
        if (_plans.TryGetValue(key, out ConvolutionPlan? plan)) return plan;
        ConvolutionArithmetic arithmetic = ArithmeticOf(call);
        ConvolutionProduct product = ConvolutionProduct.Of(call.Direction, call.Shape, arithmetic);
        return _plans[key] = ConvolutionPlan.Choose(call.Direction, product, arithmetic, _device.Multiprocessors);
    }

    private static LaunchShape OneThreadEach(long count) =>
        new(new Extent(checked((int)((count + ThreadsPerBlock - 1) / ThreadsPerBlock))), new Extent(ThreadsPerBlock));

    /// <summary>The kernels' null for what is absent.</summary>
    private static nint AddressOf(Tensor? tensor) => tensor?.Address ?? 0;
}
