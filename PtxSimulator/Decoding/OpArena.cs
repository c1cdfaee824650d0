using System.Runtime.InteropServices;
using PtxSimulator.Execution;

namespace PtxSimulator.Decoding;

/// <summary>Memory for decoded instructions; their addresses do not change.</summary>
internal sealed unsafe class OpArena : IDisposable
{
    private readonly List<nint> _pieces = [];

    public Op* Take(int count)
    {
        var ops = (Op*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(Op));
        _pieces.Add((nint)ops);
        return ops;
    }

    public int* TakeNumbers(ReadOnlySpan<int> values)
    {
        var numbers = (int*)NativeMemory.Alloc((nuint)values.Length, sizeof(int));
        _pieces.Add((nint)numbers);
        values.CopyTo(new Span<int>(numbers, values.Length));
        return numbers;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    // Programs live as long as their kernels, which nobody disposes of.
    ~OpArena() => Free();

    private void Free()
    {
        foreach (var piece in _pieces) NativeMemory.Free((void*)piece);
        _pieces.Clear();
    }
}
