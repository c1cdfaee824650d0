using System.Runtime.InteropServices;

namespace EfficientAD.Native.Driver;

/// <summary>CUdevice_attribute.</summary>
internal enum DeviceAttribute
{
    MaximumThreadsPerBlock = 1,
    MultiprocessorCount = 16,
    IsIntegrated = 18,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
    SharedBytesPerMultiprocessor = 81,
    MaximumSharedBytesPerBlock = 97,
    HasMemoryPools = 115,
}

/// <summary>CUfunction_attribute.</summary>
internal enum FunctionAttribute
{
    MaximumThreadsPerBlock = 0,
    SharedBytes = 1,
    LocalBytes = 3,
    Registers = 4,
    MaximumDynamicSharedBytes = 8,
}

/// <summary>CUstream_flags.</summary>
internal enum StreamFlags : uint
{
    /// <summary>No hidden ordering against the legacy default stream.</summary>
    NonBlocking = 1,
}

/// <summary>CUevent_flags.</summary>
internal enum EventFlags : uint
{
    Default = 0,
    DisableTiming = 2,
}

/// <summary>CU_MEMHOSTALLOC_* and CU_MEMHOSTREGISTER_*.</summary>
[Flags]
internal enum PinnedFlags : uint
{
    None = 0,
    Portable = 1,
    WriteCombined = 4,
}

/// <summary>CUstreamCaptureMode.</summary>
internal enum CaptureMode
{
    /// <summary>Other threads may go on allocating.</summary>
    ThreadLocal = 1,
}

/// <summary>CUstreamCaptureStatus.</summary>
internal enum CaptureStatus
{
    None = 0,
    Active = 1,
    Invalidated = 2,
}

/// <summary>CUjit_option. Values are passed as words of a pointer's size.</summary>
internal enum JitOption
{
    ErrorLogBuffer = 5,
    ErrorLogBytes = 6,
}

/// <summary>CUtensorMapDataType.</summary>
internal enum TensorElement
{
    Half = 6,
}

/// <summary>CUtensorMapL2promotion: what the cache fetches at least.</summary>
internal enum TensorPromotion
{
    Bytes128 = 2,
}

/// <summary>CUpointer_attribute.</summary>
internal enum PointerAttribute
{
    Context = 1,
    MemoryType = 2,
}

/// <summary>CUmemPool_attribute.</summary>
internal enum PoolAttribute
{
    ReleaseThreshold = 4,
}

/// <summary>CUmemPoolProps: pinned device memory without an export handle. The rest is reserved, or zero by
/// default.</summary>
[StructLayout(LayoutKind.Sequential, Size = 88)]
internal struct PoolProperties(int device)
{
    public int AllocationType = 1;
    public int HandleTypes = 0;
    public int LocationType = 1;
    public int Device = device;
}
