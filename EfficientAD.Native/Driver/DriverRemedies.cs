namespace EfficientAD.Native.Driver;

/// <summary>What an error of the driver means for its caller.</summary>
internal static class DriverRemedies
{
    /// <summary>The error came from earlier work on the device; the context and everything in it is unusable.</summary>
    public static bool LosesContext(this CudaResult result) => result is CudaResult.UncorrectableMemoryError
        or CudaResult.IllegalAddress or CudaResult.LaunchTimeout or CudaResult.Assert or CudaResult.HardwareStackError
        or CudaResult.IllegalInstruction or CudaResult.MisalignedAddress or CudaResult.InvalidAddressSpace
        or CudaResult.InvalidProgramCounter or CudaResult.LaunchFailed;

    /// <summary>What to do, in a sentence; null where there is no general advice.</summary>
    public static string? Remedy(this CudaResult result) => result switch
    {
        CudaResult.LaunchTimeout =>
            "The display's watchdog ended the kernel, and the context is lost: use a card without a display, or " +
            "raise the limit, and start the process again.",
        CudaResult.UncorrectableMemoryError =>
            "The card's memory failed, and the context is lost: reset the card and watch its error counters.",
        _ when result.LosesContext() =>
            "An earlier kernel failed on the device, and the context is lost: dispose everything in it, start the " +
            "process again, and run once under compute-sanitizer to find the kernel.",
        CudaResult.OutOfMemory =>
            "Use a smaller batch or image, or free memory that other processes hold.",
        CudaResult.StubLibrary =>
            "The library is the stub for linking: install the NVIDIA driver, or take the stub off the library path.",
        CudaResult.NoDevice =>
            "The driver sees no card: check nvidia-smi and CUDA_VISIBLE_DEVICES, or use --device cpu.",
        CudaResult.InvalidContext =>
            "The context was destroyed, or belongs to another device.",
        CudaResult.NoBinaryForGpu =>
            "The kernels need compute capability 7.5 or newer.",
        CudaResult.UnsupportedPtxVersion =>
            "The driver is older than the kernels: update it.",
        CudaResult.JitCompilerNotFound =>
            "libnvidia-ptxjitcompiler is missing: install the complete driver (in a container: the 'compute' " +
            "capability).",
        CudaResult.DriverMismatch =>
            "The driver's library and its kernel module differ: restart the machine after an update.",
        CudaResult.CaptureUnsupported or CudaResult.CaptureInvalidated =>
            "While a stream is captured, nothing may wait for it, and memory must already be allocated.",
        CudaResult.CaptureWrongThread =>
            "A capture ends on the thread that began it.",
        CudaResult.LaunchOutOfResources =>
            "The kernel needs more registers or shared memory than a block of this size can have.",
        _ => null,
    };
}
