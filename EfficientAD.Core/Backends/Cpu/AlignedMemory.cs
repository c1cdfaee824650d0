using System.Runtime.InteropServices;

namespace EfficientAD.Backends.Cpu;

/// <summary>Zeroed native memory on a cache-line boundary, freed on disposal or by the finaliser.</summary>
/// <remarks><see cref="Slack"/> more bytes may be read (not written) behind the end, so that a vector load needs no
/// tail.</remarks>
internal sealed unsafe partial class AlignedMemory : SafeHandle
{
    public const int Slack = 512;
    private const int Alignment = 64;

    // Weights that stream by for every image are hundreds of megabytes, and the factors of a tile go to some hundred
    // places kilobytes apart: with pages of 4 KB such addresses would not fit into the processor's tables of pages.
    private const int HugePage = 2 << 20, AdviseHugePages = 14;

    private readonly nint _allocated;

    public AlignedMemory(long bytes) : base(0, ownsHandle: true)
    {
        nuint size = checked((nuint)bytes + Slack);
        bool isLarge = size >= HugePage / 2;
        if (isLarge) size = (size + HugePage - 1) / HugePage * HugePage;
        // Large memory comes as zero pages that nobody has touched: the threads that fill it bring it in, side by side.
        nuint alignment = isLarge ? HugePage : (nuint)Alignment;
        _allocated = (nint)NativeMemory.AllocZeroed(size + alignment);
        void* address = (void*)(((nuint)_allocated + alignment - 1) / alignment * alignment);
        // A wish that the kernel may decline.
        if (isLarge && OperatingSystem.IsLinux()) _ = Advise((nint)address, size, AdviseHugePages);
        SetHandle((nint)address);
    }

    public nint Address => handle;

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)_allocated);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
