namespace EfficientAD.Native.Driver;

/// <summary>The entry points of libcuda that we call, named and ordered as in cuda.h. Fields that end up null belong to
/// newer drivers than the one installed; the properties tell.</summary>
/// <param name="exports">The installed library's, or those of a simulator.</param>
internal sealed unsafe partial class CudaDriver(LibraryExports exports)
{
    public readonly delegate* unmanaged<CudaResult, byte**, CudaResult> cuGetErrorString =
        (delegate* unmanaged<CudaResult, byte**, CudaResult>)exports.Required(nameof(cuGetErrorString));
    public readonly delegate* unmanaged<CudaResult, byte**, CudaResult> cuGetErrorName =
        (delegate* unmanaged<CudaResult, byte**, CudaResult>)exports.Required(nameof(cuGetErrorName));
    public readonly delegate* unmanaged<uint, CudaResult> cuInit =
        (delegate* unmanaged<uint, CudaResult>)exports.Required(nameof(cuInit));
    public readonly delegate* unmanaged<int*, CudaResult> cuDriverGetVersion =
        (delegate* unmanaged<int*, CudaResult>)exports.Required(nameof(cuDriverGetVersion));

    public readonly delegate* unmanaged<int*, int, CudaResult> cuDeviceGet =
        (delegate* unmanaged<int*, int, CudaResult>)exports.Required(nameof(cuDeviceGet));
    public readonly delegate* unmanaged<int*, CudaResult> cuDeviceGetCount =
        (delegate* unmanaged<int*, CudaResult>)exports.Required(nameof(cuDeviceGetCount));
    public readonly delegate* unmanaged<byte*, int, int, CudaResult> cuDeviceGetName =
        (delegate* unmanaged<byte*, int, int, CudaResult>)exports.Required(nameof(cuDeviceGetName));
    public readonly delegate* unmanaged<nuint*, int, CudaResult> cuDeviceTotalMem_v2 =
        (delegate* unmanaged<nuint*, int, CudaResult>)exports.Required(nameof(cuDeviceTotalMem_v2));
    public readonly delegate* unmanaged<int*, DeviceAttribute, int, CudaResult> cuDeviceGetAttribute =
        (delegate* unmanaged<int*, DeviceAttribute, int, CudaResult>)exports.Required(nameof(cuDeviceGetAttribute));

    public readonly delegate* unmanaged<nint*, int, CudaResult> cuDevicePrimaryCtxRetain =
        (delegate* unmanaged<nint*, int, CudaResult>)exports.Required(nameof(cuDevicePrimaryCtxRetain));
    public readonly delegate* unmanaged<int, CudaResult> cuDevicePrimaryCtxRelease_v2 =
        (delegate* unmanaged<int, CudaResult>)exports.Required(nameof(cuDevicePrimaryCtxRelease_v2));
    public readonly delegate* unmanaged<nint, CudaResult> cuCtxPushCurrent_v2 =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuCtxPushCurrent_v2));
    public readonly delegate* unmanaged<nint*, CudaResult> cuCtxPopCurrent_v2 =
        (delegate* unmanaged<nint*, CudaResult>)exports.Required(nameof(cuCtxPopCurrent_v2));
    public readonly delegate* unmanaged<nint*, CudaResult> cuCtxGetCurrent =
        (delegate* unmanaged<nint*, CudaResult>)exports.Required(nameof(cuCtxGetCurrent));
    public readonly delegate* unmanaged<int*, CudaResult> cuCtxGetDevice =
        (delegate* unmanaged<int*, CudaResult>)exports.Required(nameof(cuCtxGetDevice));
    public readonly delegate* unmanaged<CudaResult> cuCtxSynchronize =
        (delegate* unmanaged<CudaResult>)exports.Required(nameof(cuCtxSynchronize));

    public readonly delegate* unmanaged<nint*, byte*, uint, JitOption*, nuint*, CudaResult> cuModuleLoadDataEx =
        (delegate* unmanaged<nint*, byte*, uint, JitOption*, nuint*, CudaResult>)
        exports.Required(nameof(cuModuleLoadDataEx));
    public readonly delegate* unmanaged<nint, CudaResult> cuModuleUnload =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuModuleUnload));
    public readonly delegate* unmanaged<nint*, nint, byte*, CudaResult> cuModuleGetFunction =
        (delegate* unmanaged<nint*, nint, byte*, CudaResult>)exports.Required(nameof(cuModuleGetFunction));

    public readonly delegate* unmanaged<nuint*, nuint*, CudaResult> cuMemGetInfo_v2 =
        (delegate* unmanaged<nuint*, nuint*, CudaResult>)exports.Required(nameof(cuMemGetInfo_v2));
    public readonly delegate* unmanaged<nint*, nuint, CudaResult> cuMemAlloc_v2 =
        (delegate* unmanaged<nint*, nuint, CudaResult>)exports.Required(nameof(cuMemAlloc_v2));
    public readonly delegate* unmanaged<nint, CudaResult> cuMemFree_v2 =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuMemFree_v2));
    public readonly delegate* unmanaged<nint, CudaResult> cuMemFreeHost =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuMemFreeHost));
    public readonly delegate* unmanaged<nint*, nuint, PinnedFlags, CudaResult> cuMemHostAlloc =
        (delegate* unmanaged<nint*, nuint, PinnedFlags, CudaResult>)exports.Required(nameof(cuMemHostAlloc));
    public readonly delegate* unmanaged<nint, nuint, PinnedFlags, CudaResult> cuMemHostRegister_v2 =
        (delegate* unmanaged<nint, nuint, PinnedFlags, CudaResult>)exports.Required(nameof(cuMemHostRegister_v2));
    public readonly delegate* unmanaged<nint, CudaResult> cuMemHostUnregister =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuMemHostUnregister));

    public readonly delegate* unmanaged<nint, void*, nuint, nint, CudaResult> cuMemcpyHtoDAsync_v2 =
        (delegate* unmanaged<nint, void*, nuint, nint, CudaResult>)exports.Required(nameof(cuMemcpyHtoDAsync_v2));
    public readonly delegate* unmanaged<void*, nint, nuint, nint, CudaResult> cuMemcpyDtoHAsync_v2 =
        (delegate* unmanaged<void*, nint, nuint, nint, CudaResult>)exports.Required(nameof(cuMemcpyDtoHAsync_v2));
    public readonly delegate* unmanaged<nint, nint, nuint, nint, CudaResult> cuMemcpyDtoDAsync_v2 =
        (delegate* unmanaged<nint, nint, nuint, nint, CudaResult>)exports.Required(nameof(cuMemcpyDtoDAsync_v2));
    public readonly delegate* unmanaged<nint, uint, nuint, nint, CudaResult> cuMemsetD32Async =
        (delegate* unmanaged<nint, uint, nuint, nint, CudaResult>)exports.Required(nameof(cuMemsetD32Async));

    public readonly delegate* unmanaged<nint, nint, CudaResult> cuMemFreeAsync =
        (delegate* unmanaged<nint, nint, CudaResult>)exports.Optional(nameof(cuMemFreeAsync));
    public readonly delegate* unmanaged<nint, PoolAttribute, void*, CudaResult> cuMemPoolSetAttribute =
        (delegate* unmanaged<nint, PoolAttribute, void*, CudaResult>)exports.Optional(nameof(cuMemPoolSetAttribute));
    public readonly delegate* unmanaged<nint*, PoolProperties*, CudaResult> cuMemPoolCreate =
        (delegate* unmanaged<nint*, PoolProperties*, CudaResult>)exports.Optional(nameof(cuMemPoolCreate));
    public readonly delegate* unmanaged<nint, CudaResult> cuMemPoolDestroy =
        (delegate* unmanaged<nint, CudaResult>)exports.Optional(nameof(cuMemPoolDestroy));
    public readonly delegate* unmanaged<nint*, nuint, nint, nint, CudaResult> cuMemAllocFromPoolAsync =
        (delegate* unmanaged<nint*, nuint, nint, nint, CudaResult>)exports.Optional(nameof(cuMemAllocFromPoolAsync));

    public readonly delegate* unmanaged<void*, PointerAttribute, nint, CudaResult> cuPointerGetAttribute =
        (delegate* unmanaged<void*, PointerAttribute, nint, CudaResult>)
        exports.Required(nameof(cuPointerGetAttribute));

    public readonly delegate* unmanaged<
        void*, TensorElement, uint, nint, ulong*, ulong*, uint*, uint*, int, TensorSwizzle, TensorPromotion, int,
        CudaResult>
        cuTensorMapEncodeTiled = (delegate* unmanaged<
            void*, TensorElement, uint, nint, ulong*, ulong*, uint*, uint*, int, TensorSwizzle, TensorPromotion, int,
            CudaResult>)exports.Optional(nameof(cuTensorMapEncodeTiled));

    public readonly delegate* unmanaged<nint*, StreamFlags, CudaResult> cuStreamCreate =
        (delegate* unmanaged<nint*, StreamFlags, CudaResult>)exports.Required(nameof(cuStreamCreate));
    public readonly delegate* unmanaged<nint, nint*, CudaResult> cuStreamGetCtx =
        (delegate* unmanaged<nint, nint*, CudaResult>)exports.Required(nameof(cuStreamGetCtx));
    public readonly delegate* unmanaged<nint, nint, uint, CudaResult> cuStreamWaitEvent =
        (delegate* unmanaged<nint, nint, uint, CudaResult>)exports.Required(nameof(cuStreamWaitEvent));
    public readonly delegate* unmanaged<nint, CaptureMode, CudaResult> cuStreamBeginCapture_v2 =
        (delegate* unmanaged<nint, CaptureMode, CudaResult>)exports.Required(nameof(cuStreamBeginCapture_v2));
    public readonly delegate* unmanaged<nint, nint*, CudaResult> cuStreamEndCapture =
        (delegate* unmanaged<nint, nint*, CudaResult>)exports.Required(nameof(cuStreamEndCapture));
    public readonly delegate* unmanaged<nint, CaptureStatus*, CudaResult> cuStreamIsCapturing =
        (delegate* unmanaged<nint, CaptureStatus*, CudaResult>)exports.Required(nameof(cuStreamIsCapturing));
    public readonly delegate* unmanaged<nint, CudaResult> cuStreamQuery =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuStreamQuery));
    public readonly delegate* unmanaged<nint, CudaResult> cuStreamSynchronize =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuStreamSynchronize));
    public readonly delegate* unmanaged<nint, CudaResult> cuStreamDestroy_v2 =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuStreamDestroy_v2));

    public readonly delegate* unmanaged<nint*, EventFlags, CudaResult> cuEventCreate =
        (delegate* unmanaged<nint*, EventFlags, CudaResult>)exports.Required(nameof(cuEventCreate));
    public readonly delegate* unmanaged<nint, nint, CudaResult> cuEventRecord =
        (delegate* unmanaged<nint, nint, CudaResult>)exports.Required(nameof(cuEventRecord));
    public readonly delegate* unmanaged<nint, CudaResult> cuEventQuery =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuEventQuery));
    public readonly delegate* unmanaged<nint, CudaResult> cuEventSynchronize =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuEventSynchronize));
    public readonly delegate* unmanaged<nint, CudaResult> cuEventDestroy_v2 =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuEventDestroy_v2));
    public readonly delegate* unmanaged<float*, nint, nint, CudaResult> cuEventElapsedTime =
        (delegate* unmanaged<float*, nint, nint, CudaResult>)exports.Required(nameof(cuEventElapsedTime));

    public readonly delegate* unmanaged<int*, FunctionAttribute, nint, CudaResult> cuFuncGetAttribute =
        (delegate* unmanaged<int*, FunctionAttribute, nint, CudaResult>)exports.Required(nameof(cuFuncGetAttribute));
    public readonly delegate* unmanaged<nint, FunctionAttribute, int, CudaResult> cuFuncSetAttribute =
        (delegate* unmanaged<nint, FunctionAttribute, int, CudaResult>)exports.Required(nameof(cuFuncSetAttribute));
    public readonly delegate* unmanaged<
        nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, CudaResult> cuLaunchKernel =
        (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, CudaResult>)
        exports.Required(nameof(cuLaunchKernel));

    public readonly delegate* unmanaged<nint*, nint, ulong, CudaResult> cuGraphInstantiateWithFlags =
        (delegate* unmanaged<nint*, nint, ulong, CudaResult>)exports.Optional(nameof(cuGraphInstantiateWithFlags));
    public readonly delegate* unmanaged<nint, nint, CudaResult> cuGraphLaunch =
        (delegate* unmanaged<nint, nint, CudaResult>)exports.Required(nameof(cuGraphLaunch));
    public readonly delegate* unmanaged<nint, CudaResult> cuGraphExecDestroy =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuGraphExecDestroy));
    public readonly delegate* unmanaged<nint, CudaResult> cuGraphDestroy =
        (delegate* unmanaged<nint, CudaResult>)exports.Required(nameof(cuGraphDestroy));
    public readonly delegate* unmanaged<int*, nint, int, nuint, CudaResult>
        cuOccupancyMaxActiveBlocksPerMultiprocessor = (delegate* unmanaged<int*, nint, int, nuint, CudaResult>)
        exports.Required(nameof(cuOccupancyMaxActiveBlocksPerMultiprocessor));

    /// <param name="export">The address of an entry point; 0 where there is none.</param>
    /// <param name="library">Its name in messages.</param>
    public CudaDriver(Func<string, nint> export, string library = "The CUDA driver")
        : this(new LibraryExports(export, library))
    {
    }

    /// <summary>Stream-ordered allocation from a pool of one's own: CUDA 11.2 and newer.</summary>
    public bool HasMemoryPools => cuMemPoolCreate != null && cuMemPoolDestroy != null && cuMemPoolSetAttribute != null
        && cuMemAllocFromPoolAsync != null && cuMemFreeAsync != null;

    /// <summary>Tensor maps: CUDA 12.0 and newer.</summary>
    public bool HasTensorMaps => cuTensorMapEncodeTiled != null;

    /// <summary>Graphs instantiated without a log: CUDA 11.4 and newer.</summary>
    public bool HasGraphs => cuGraphInstantiateWithFlags != null;
}
