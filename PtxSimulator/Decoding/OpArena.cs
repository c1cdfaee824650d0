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

    public void Dispose()
    {
        foreach (var piece in _pieces) NativeMemory.Free((void*)piece);
        _pieces.Clear();
    }
}
