using System.Runtime.InteropServices;

namespace EfficientAD.Backends.Cpu;

/// <summary>Zeroed native memory on a cache-line boundary, freed on disposal or by the finaliser.</summary>
/// <remarks><see cref="Slack"/> more bytes may be read (not written) behind the end, so that a vector load needs no tail.</remarks>
internal sealed unsafe class AlignedMemory : SafeHandle
{
    public const int Slack = 512;
    private const int Alignment = 64;

    public AlignedMemory(long bytes) : base(0, ownsHandle: true)
    {
        nuint size = checked((nuint)bytes + Slack);
        void* address = NativeMemory.AlignedAlloc(size, Alignment);
        NativeMemory.Clear(address, size);
        SetHandle((nint)address);
    }

    public nint Address => handle;

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
