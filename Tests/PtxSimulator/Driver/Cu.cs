using PtxSimulator.Driver;

namespace EfficientAD.Tests.PtxSimulator.Driver;

/// <summary>The simulator's entry points, called as C would call them. Each returns CUresult.</summary>
internal static unsafe class Cu
{
    public static int Init(uint flags = 0) => ((delegate* unmanaged<uint, int>)Of("cuInit"))(flags);

    public static int DeviceGet(out int device, int ordinal)
    {
        fixed (int* d = &device) return ((delegate* unmanaged<int*, int, int>)Of("cuDeviceGet"))(d, ordinal);
    }

    public static int DeviceGetAttribute(out int value, int attribute, int device)
    {
        fixed (int* v = &value)
            return ((delegate* unmanaged<int*, int, int, int>)Of("cuDeviceGetAttribute"))(v, attribute, device);
    }

    public static int PrimaryRetain(out nint context, int device)
    {
        fixed (nint* c = &context)
            return ((delegate* unmanaged<nint*, int, int>)Of("cuDevicePrimaryCtxRetain"))(c, device);
    }

    public static int PrimaryRelease(int device) =>
        ((delegate* unmanaged<int, int>)Of("cuDevicePrimaryCtxRelease_v2"))(device);

    public static int CtxCreate(out nint context, int device)
    {
        fixed (nint* c = &context)
            return ((delegate* unmanaged<nint*, uint, int, int>)Of("cuCtxCreate_v2"))(c, 0, device);
    }

    public static int CtxDestroy(nint context) => ((delegate* unmanaged<nint, int>)Of("cuCtxDestroy_v2"))(context);

    public static int CtxPush(nint context) => ((delegate* unmanaged<nint, int>)Of("cuCtxPushCurrent_v2"))(context);

    public static int CtxPop(out nint context)
    {
        fixed (nint* c = &context) return ((delegate* unmanaged<nint*, int>)Of("cuCtxPopCurrent_v2"))(c);
    }

    public static int CtxSetCurrent(nint context) => ((delegate* unmanaged<nint, int>)Of("cuCtxSetCurrent"))(context);

    public static int CtxGetCurrent(out nint context)
    {
        fixed (nint* c = &context) return ((delegate* unmanaged<nint*, int>)Of("cuCtxGetCurrent"))(c);
    }

    public static int CtxSynchronize() => ((delegate* unmanaged<int>)Of("cuCtxSynchronize"))();

    public static int MemAlloc(out ulong address, long bytes)
    {
        fixed (ulong* a = &address)
            return ((delegate* unmanaged<ulong*, nuint, int>)Of("cuMemAlloc_v2"))(a, (nuint)bytes);
    }

    public static int MemFree(ulong address) => ((delegate* unmanaged<ulong, int>)Of("cuMemFree_v2"))(address);

    public static int MemAllocAsync(out ulong address, long bytes, nint stream)
    {
        fixed (ulong* a = &address)
            return ((delegate* unmanaged<ulong*, nuint, nint, int>)Of("cuMemAllocAsync"))(a, (nuint)bytes, stream);
    }

    public static int MemFreeAsync(ulong address, nint stream) =>
        ((delegate* unmanaged<ulong, nint, int>)Of("cuMemFreeAsync"))(address, stream);

    public static int MemHostAlloc(out nint pointer, long bytes)
    {
        fixed (nint* p = &pointer)
            return ((delegate* unmanaged<nint*, nuint, uint, int>)Of("cuMemHostAlloc"))(p, (nuint)bytes, 0);
    }

    public static int MemFreeHost(nint pointer) => ((delegate* unmanaged<nint, int>)Of("cuMemFreeHost"))(pointer);

    public static int MemcpyHtoD(ulong destination, void* source, long bytes) =>
        ((delegate* unmanaged<ulong, void*, nuint, int>)Of("cuMemcpyHtoD_v2"))(destination, source, (nuint)bytes);

    public static int MemcpyDtoH(void* destination, ulong source, long bytes) =>
        ((delegate* unmanaged<void*, ulong, nuint, int>)Of("cuMemcpyDtoH_v2"))(destination, source, (nuint)bytes);

    public static int MemcpyHtoDAsync(ulong destination, void* source, long bytes, nint stream) =>
        ((delegate* unmanaged<ulong, void*, nuint, nint, int>)Of("cuMemcpyHtoDAsync_v2"))(
            destination, source, (nuint)bytes, stream);

    public static int MemcpyDtoHAsync(void* destination, ulong source, long bytes, nint stream) =>
        ((delegate* unmanaged<void*, ulong, nuint, nint, int>)Of("cuMemcpyDtoHAsync_v2"))(
            destination, source, (nuint)bytes, stream);

    public static int MemsetD32Async(ulong destination, uint value, long count, nint stream) =>
        ((delegate* unmanaged<ulong, uint, nuint, nint, int>)Of("cuMemsetD32Async"))(
            destination, value, (nuint)count, stream);

    public static int PointerMemoryType(out int type, ulong pointer)
    {
        fixed (int* t = &type)
            return ((delegate* unmanaged<void*, int, ulong, int>)Of("cuPointerGetAttribute"))(t, 2, pointer);
    }

    public static int StreamCreate(out nint stream, uint flags)
    {
        fixed (nint* s = &stream) return ((delegate* unmanaged<nint*, uint, int>)Of("cuStreamCreate"))(s, flags);
    }

    public static int StreamDestroy(nint stream) => ((delegate* unmanaged<nint, int>)Of("cuStreamDestroy_v2"))(stream);

    public static int StreamSynchronize(nint stream) =>
        ((delegate* unmanaged<nint, int>)Of("cuStreamSynchronize"))(stream);

    public static int StreamQuery(nint stream) => ((delegate* unmanaged<nint, int>)Of("cuStreamQuery"))(stream);

    public static int StreamWaitEvent(nint stream, nint @event) =>
        ((delegate* unmanaged<nint, nint, uint, int>)Of("cuStreamWaitEvent"))(stream, @event, 0);

    public static int StreamBeginCapture(nint stream, int mode = 1) =>
        ((delegate* unmanaged<nint, int, int>)Of("cuStreamBeginCapture_v2"))(stream, mode);

    public static int StreamEndCapture(nint stream, out nint graph)
    {
        fixed (nint* g = &graph) return ((delegate* unmanaged<nint, nint*, int>)Of("cuStreamEndCapture"))(stream, g);
    }

    public static int StreamIsCapturing(nint stream, out int status)
    {
        fixed (int* s = &status) return ((delegate* unmanaged<nint, int*, int>)Of("cuStreamIsCapturing"))(stream, s);
    }

    public static int EventCreate(out nint @event, uint flags = 0)
    {
        fixed (nint* e = &@event) return ((delegate* unmanaged<nint*, uint, int>)Of("cuEventCreate"))(e, flags);
    }

    public static int EventRecord(nint @event, nint stream) =>
        ((delegate* unmanaged<nint, nint, int>)Of("cuEventRecord"))(@event, stream);

    public static int EventQuery(nint @event) => ((delegate* unmanaged<nint, int>)Of("cuEventQuery"))(@event);

    public static int EventSynchronize(nint @event) =>
        ((delegate* unmanaged<nint, int>)Of("cuEventSynchronize"))(@event);

    public static int EventElapsedTime(out float milliseconds, nint start, nint end)
    {
        fixed (float* m = &milliseconds)
            return ((delegate* unmanaged<float*, nint, nint, int>)Of("cuEventElapsedTime"))(m, start, end);
    }

    public static int EventDestroy(nint @event) => ((delegate* unmanaged<nint, int>)Of("cuEventDestroy_v2"))(@event);

    public static int ModuleLoad(out nint module, ReadOnlySpan<byte> image)
    {
        fixed (nint* m = &module)
        fixed (byte* i = image) return ((delegate* unmanaged<nint*, byte*, int>)Of("cuModuleLoadData"))(m, i);
    }

    public static int ModuleLoadEx(out nint module, byte* image, int count, int* options, nuint* values)
    {
        fixed (nint* m = &module)
        {
            return ((delegate* unmanaged<nint*, byte*, uint, int*, nuint*, int>)Of("cuModuleLoadDataEx"))(
                m, image, (uint)count, options, values);
        }
    }

    public static int ModuleUnload(nint module) => ((delegate* unmanaged<nint, int>)Of("cuModuleUnload"))(module);

    public static int ModuleGetFunction(out nint function, nint module, ReadOnlySpan<byte> name)
    {
        fixed (nint* f = &function)
        fixed (byte* n = name)
            return ((delegate* unmanaged<nint*, nint, byte*, int>)Of("cuModuleGetFunction"))(f, module, n);
    }

    public static int FuncGetAttribute(out int value, int attribute, nint function)
    {
        fixed (int* v = &value)
            return ((delegate* unmanaged<int*, int, nint, int>)Of("cuFuncGetAttribute"))(v, attribute, function);
    }

    public static int FuncSetAttribute(nint function, int attribute, int value) =>
        ((delegate* unmanaged<nint, int, int, int>)Of("cuFuncSetAttribute"))(function, attribute, value);

    public static int OccupancyMaxActiveBlocks(out int blocks, nint function, int threads, int sharedBytes)
    {
        nint occupancy = Of("cuOccupancyMaxActiveBlocksPerMultiprocessor");
        fixed (int* b = &blocks)
        {
            return ((delegate* unmanaged<int*, nint, int, nuint, int>)occupancy)(
                b, function, threads, (nuint)sharedBytes);
        }
    }

    public static int LaunchKernel(
        nint function, (uint X, uint Y, uint Z) grid, (uint X, uint Y, uint Z) block, uint sharedBytes, nint stream,
        void** parameters, void** extra = null) =>
        ((delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)
            Of("cuLaunchKernel"))(
                function, grid.X, grid.Y, grid.Z, block.X, block.Y, block.Z, sharedBytes, stream, parameters, extra);

    public static int LaunchKernelEx(byte* configuration, nint function, void** parameters) =>
        ((delegate* unmanaged<byte*, nint, void**, void**, int>)Of("cuLaunchKernelEx"))(
            configuration, function, parameters, null);

    public static int LaunchHostFunc(nint stream, delegate* unmanaged<void*, void> function, void* data) =>
        ((delegate* unmanaged<nint, delegate* unmanaged<void*, void>, void*, int>)Of("cuLaunchHostFunc"))(
            stream, function, data);

    public static int GraphInstantiate(out nint executable, nint graph)
    {
        fixed (nint* e = &executable)
            return ((delegate* unmanaged<nint*, nint, ulong, int>)Of("cuGraphInstantiateWithFlags"))(e, graph, 0);
    }

    public static int GraphLaunch(nint executable, nint stream) =>
        ((delegate* unmanaged<nint, nint, int>)Of("cuGraphLaunch"))(executable, stream);

    public static int GraphExecUpdate(nint executable, nint graph, nint* information) =>
        ((delegate* unmanaged<nint, nint, nint*, int>)Of("cuGraphExecUpdate_v2"))(executable, graph, information);

    public static int GraphExecDestroy(nint executable) =>
        ((delegate* unmanaged<nint, int>)Of("cuGraphExecDestroy"))(executable);

    public static int GraphDestroy(nint graph) => ((delegate* unmanaged<nint, int>)Of("cuGraphDestroy"))(graph);

    public static string ErrorName(int error) => Text("cuGetErrorName", error);

    public static string ErrorString(int error) => Text("cuGetErrorString", error);

    private static string Text(string function, int error)
    {
        byte* text;
        Assert.Equal(0, ((delegate* unmanaged<int, byte**, int>)Of(function))(error, &text));
        return System.Runtime.InteropServices.Marshal.PtrToStringUTF8((nint)text)!;
    }

    private static nint Of(string symbol) => SimulatedDriver.Export(symbol) is not 0 and var address
        ? address
        : throw new EntryPointNotFoundException(symbol);
}
