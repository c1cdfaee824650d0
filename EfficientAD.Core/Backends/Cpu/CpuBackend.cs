using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cpu;

/// <summary>The primitives on the processor, in managed vector code on a pool of threads.</summary>
/// <remarks>Every sum has an order of its own that does not depend on the number of threads: same bits everywhere on
/// one instruction set. One file per operation.</remarks>
public sealed unsafe partial class CpuBackend : IBackend
{
    private readonly WorkerPool _pool;
    private readonly bool _isPlain;

    /// <exception cref="PlatformNotSupportedException">The processor lacks the instruction set asked for.</exception>
    public CpuBackend(CpuOptions? options = null)
    {
        options ??= new CpuOptions();
        InstructionSet = options.ResolveInstructionSet();
        _pool = new WorkerPool(options.ResolveThreads());
        _selection = new RadixSelection(_pool);
        _isPlain = options.IsPlain;
        _convolution = _isPlain
            ? ConvolutionEngine.CreateDirect(InstructionSet, _pool)
            : ConvolutionEngine.Create(InstructionSet, _pool);
    }

    public string Name => $"CPU, {_pool.Threads} thread{(_pool.Threads == 1 ? "" : "s")}, {InstructionSet}";

    internal WorkerPool Pool => _pool;

    internal InstructionSet InstructionSet { get; }

    public Tensor Allocate(Shape shape)
    {
        RequireExtents(shape);
        var memory = new AlignedMemory(checked(shape.Count * sizeof(float)));
        return new Tensor(shape, memory.Address, memory);
    }

    public void Upload(ReadOnlySpan<float> source, Tensor destination)
    {
        RequireCount(source.Length, destination);
        fixed (float* values = source)
        {
            float* from = values;
            RunRanges(source.Length, 1, (first, end) =>
                Range(from, first, end).CopyTo(Range(Pointer(destination), first, end)));
        }

        destination.MarkWritten();
    }

    public void Download(Tensor source, Span<float> destination)
    {
        RequireCount(destination.Length, source);
        Span(source).CopyTo(destination);
    }

    public void Fill(float value, Tensor destination)
    {
        RunRanges(destination.Shape.Count, 1, (first, end) => Range(Pointer(destination), first, end).Fill(value));
        destination.MarkWritten();
    }

    public void Copy(Tensor source, Tensor destination)
    {
        RequireSameShape(source, destination);
        RunRanges(source.Shape.Count, 1, (first, end) =>
            Range(Pointer(source), first, end).CopyTo(Range(Pointer(destination), first, end)));
        destination.MarkWritten();
    }

    public Recording Record(Action work) => new(work);

    public void Dispose()
    {
        _squaredDifferences?.Dispose();
        _convolution.Dispose();
        _pool.Dispose();
    }

    private static float* Pointer(Tensor tensor) => (float*)tensor.Address;

    private static Span<float> Span(Tensor tensor) => new(Pointer(tensor), checked((int)tensor.Shape.Count));
}
