using System.Runtime.InteropServices;

namespace PtxSimulator.Driver.Functions;

/// <summary>CUlaunchConfig.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LaunchConfiguration
{
    public uint GridX, GridY, GridZ, BlockX, BlockY, BlockZ, SharedBytes;
    public nint Stream;
    public LaunchAttribute* Attributes;
    public uint AttributeCount;
}

/// <summary>CUlaunchAttribute: a number and a union of 64 bytes, of which only the first words are looked at.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct LaunchAttribute
{
    [FieldOffset(0)]
    public int Id;

    [FieldOffset(8)]
    public uint X;

    [FieldOffset(12)]
    public uint Y;

    [FieldOffset(16)]
    public uint Z;
}

/// <summary>Functions, launches, occupancy.</summary>
internal static unsafe class LaunchFunctions
{
    private const int Cooperative = 2, ClusterDimension = 4, ProgrammaticSerialization = 6, Priority = 8;

    private const int MaxThreads = 0, SharedBytes = 1, ConstantBytes = 2, LocalBytes = 3, Registers = 4, PtxVersion = 5,
        BinaryVersion = 6, MaxDynamicShared = 8, SharedCarveout = 9;

    public static void AddTo(Dictionary<string, nint> table)
    {
        table[nameof(cuFuncGetAttribute)] = (nint)(delegate* unmanaged<int*, int, nint, int>)&cuFuncGetAttribute;
        table[nameof(cuFuncSetAttribute)] = (nint)(delegate* unmanaged<nint, int, int, int>)&cuFuncSetAttribute;
        table[nameof(cuLaunchKernel)] = (nint)(delegate* unmanaged<
            nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)&cuLaunchKernel;
        table[nameof(cuLaunchKernelEx)] =
            (nint)(delegate* unmanaged<LaunchConfiguration*, nint, void**, void**, int>)&cuLaunchKernelEx;
        table[nameof(cuLaunchHostFunc)] =
            (nint)(delegate* unmanaged<nint, delegate* unmanaged<void*, void>, void*, int>)&cuLaunchHostFunc;
        table[nameof(cuOccupancyMaxActiveBlocksPerMultiprocessor)] =
            (nint)(delegate* unmanaged<int*, nint, int, nuint, int>)&cuOccupancyMaxActiveBlocksPerMultiprocessor;
    }

    [UnmanagedCallersOnly(EntryPoint = nameof(cuFuncGetAttribute))]
    private static int cuFuncGetAttribute(int* value, int attribute, nint function) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)value, nameof(value));
        DriverFunction known = Handles.Functions.Get(function);
        *value = attribute switch
        {
            MaxThreads => known.Kernel.MaxThreadsPerBlock,
            SharedBytes => known.Kernel.StaticSharedBytes,
            ConstantBytes => 0,
            LocalBytes => known.Kernel.LocalBytes,
            Registers => known.Registers,
            PtxVersion => known.Kernel.Module.Target,
            BinaryVersion => known.Context.Device.Options.ComputeCapability,
            MaxDynamicShared => known.DynamicSharedLimit,
            SharedCarveout => -1,
            _ => throw UnknownAttribute(attribute),
        };
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuFuncSetAttribute))]
    private static int cuFuncSetAttribute(nint function, int attribute, int value) => Boundary.Call(() =>
    {
        DriverFunction known = Handles.Functions.Get(function);
        lock (known.Context.Device.Lock)
        {
            if (attribute == MaxDynamicShared) known.DynamicSharedLimit = value;
            else if (attribute != SharedCarveout) throw UnknownAttribute(attribute);
        }
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuLaunchKernel))]
    private static int cuLaunchKernel(
        nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedBytes,
        nint stream, void** parameters, void** extra) => Boundary.OnStream(stream, ordered =>
            Launch(
                function, Size(gridX, gridY, gridZ), Size(blockX, blockY, blockZ), sharedBytes, ordered, parameters,
                extra));

    [UnmanagedCallersOnly(EntryPoint = nameof(cuLaunchKernelEx))]
    private static int cuLaunchKernelEx(
        LaunchConfiguration* configuration, nint function, void** parameters, void** extra) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)configuration, nameof(configuration));
        LaunchConfiguration launch = *configuration;
        var attributes = new Span<LaunchAttribute>(launch.Attributes, (int)launch.AttributeCount);
        foreach (ref LaunchAttribute attribute in attributes) RequireSimulated(attribute);
        DriverStream ordered = Boundary.Stream(launch.Stream);
        lock (ordered.Context.Device.Lock)
        {
            ordered.Context.RequireUsable();
            Launch(function, Size(launch.GridX, launch.GridY, launch.GridZ),
                Size(launch.BlockX, launch.BlockY, launch.BlockZ), launch.SharedBytes, ordered, parameters, extra);
        }
    });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuLaunchHostFunc))]
    private static int cuLaunchHostFunc(nint stream, delegate* unmanaged<void*, void> function, void* data) =>
        Boundary.OnStream(stream, ordered =>
        {
            Boundary.RequireNotNull((nint)function, nameof(function));
            ordered.Add(new Work(WorkKind.HostFunction, "host function",
                () => Boundary.RunHostFunction(() => function(data))));
        });

    [UnmanagedCallersOnly(EntryPoint = nameof(cuOccupancyMaxActiveBlocksPerMultiprocessor))]
    private static int cuOccupancyMaxActiveBlocksPerMultiprocessor(
        int* blocks, nint function, int threads, nuint sharedBytes) => Boundary.Call(() =>
    {
        Boundary.RequireNotNull((nint)blocks, nameof(blocks));
        if (threads < 1 || sharedBytes > int.MaxValue)
        {
            throw new DriverException(
                DriverError.InvalidValue, $"blocks of {threads} threads with {sharedBytes} bytes.");
        }

        DriverFunction known = Handles.Functions.Get(function);
        *blocks = threads > known.Kernel.MaxThreadsPerBlock
            ? 0
            : known.BlocksPerMultiprocessor(threads, (int)sharedBytes);
    });

    private static void Launch(
        nint function, Extent grid, Extent block, uint sharedBytes, DriverStream stream, void** parameters,
        void** extra)
    {
        DriverFunction launched = Handles.Functions.Get(function);
        if (launched.Context != stream.Context)
        {
            throw new DriverException(
                DriverError.InvalidHandle, $"{launched.Kernel.Name} and the stream are of different contexts.");
        }

        if (CurrentContext.Require() != stream.Context)
            throw new DriverException(DriverError.InvalidContext, "the stream's context is not the current one.");
        byte[] copy = LaunchParameters.Copy(launched.Kernel, parameters, extra);
        stream.Add(launched.Launch(grid, block, checked((int)sharedBytes), copy));
    }

    /// <summary>Numbers beyond int are as wrong as 0.</summary>
    private static Extent Size(uint x, uint y, uint z) => new(Bounded(x), Bounded(y), Bounded(z));

    private static int Bounded(uint size) => size <= int.MaxValue ? (int)size : 0;

    private static void RequireSimulated(LaunchAttribute attribute)
    {
        bool isSimulated = attribute.Id switch
        {
            0 or Priority or ProgrammaticSerialization => true,
            Cooperative => attribute.X == 0,
            ClusterDimension => attribute is { X: 1, Y: 1, Z: 1 },
            _ => false,
        };
        if (!isSimulated)
            throw new DriverException(DriverError.NotSupported, $"launch attribute {attribute.Id} is not simulated.");
    }

    private static DriverException UnknownAttribute(int attribute) =>
        new(DriverError.InvalidValue, $"function attribute {attribute} is not simulated, or cannot be set.");
}
