using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>A function that runs on the device: <see cref="CudaModule.GetKernel"/>.</summary>
public sealed unsafe class CudaKernel
{
    // What every device of compute capability 7.5 and newer has.
    private const int MaximumGridY = 65535, MaximumGridZ = 65535, MaximumBlockXY = 1024, MaximumBlockZ = 64;

    private readonly CudaModule _module;
    private readonly int[] _parameterBytes;
    private readonly nint _function;

    internal CudaKernel(CudaModule module, PtxEntry entry, nint function)
    {
        (_module, _parameterBytes, _function) = (module, entry.ParameterBytes, function);
        Name = entry.Name;
        MaximumThreadsPerBlock = Attribute(FunctionAttribute.MaximumThreadsPerBlock);
        StaticSharedBytes = Attribute(FunctionAttribute.SharedBytes);
        LocalBytes = Attribute(FunctionAttribute.LocalBytes);
        Registers = Attribute(FunctionAttribute.Registers);
        MaximumSharedBytes = module.Context.Device.MaximumSharedBytesPerBlock - StaticSharedBytes;
        // Above 48 KiB a kernel must be told beforehand; that alone changes nothing for launches that take less.
        CudaDriver driver = module.Context.Driver;
        driver.ThrowIfFailed(driver.cuFuncSetAttribute(
            function, FunctionAttribute.MaximumDynamicSharedBytes, MaximumSharedBytes));
    }

    public string Name { get; }

    /// <summary>Largest block: the device's limit, or less where the kernel takes many registers or declares
    /// bounds.</summary>
    public int MaximumThreadsPerBlock { get; }

    /// <summary>Shared memory that the kernel declares with a size.</summary>
    public int StaticSharedBytes { get; }

    /// <summary>Most dynamic shared memory of a launch.</summary>
    public int MaximumSharedBytes { get; }

    /// <summary>Memory of each thread outside its registers: spills and arrays; 0 is best.</summary>
    public int LocalBytes { get; }

    /// <summary>Registers of each thread.</summary>
    public int Registers { get; }

    /// <summary>Blocks that one multiprocessor runs at a time.</summary>
    public int BlocksPerMultiprocessor(int threadsPerBlock, int sharedBytes = 0)
    {
        CudaDriver driver = _module.Context.Driver;
        using CudaContext.Scope scope = _module.Context.Enter();
        int blocks;
        driver.ThrowIfFailed(driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(
            &blocks, _function, threadsPerBlock, (nuint)sharedBytes));
        return blocks;
    }

    /// <summary>Gives the kernel to a stream. Nothing is allocated; the arguments are read before the call
    /// returns.</summary>
    /// <param name="stream">Of the same context.</param>
    /// <param name="arguments">As many and as large as the kernel's parameters. Addresses are nint.</param>
    /// <exception cref="ArgumentException">Arguments or shape do not fit the kernel or the device.</exception>
    /// <exception cref="CudaException">The driver refuses, or earlier work failed.</exception>
    public void Launch(CudaStream stream, LaunchShape shape, params ReadOnlySpan<KernelArgument> arguments)
    {
        ObjectDisposedException.ThrowIf(_module.IsClosed, _module);
        RequireArguments(arguments);
        RequireShape(shape);
        CudaDriver driver = _module.Context.Driver;
        using CudaContext.Scope scope = _module.Context.Enter();
        void** addresses = stackalloc void*[arguments.Length];
        fixed (KernelArgument* first = arguments)
        {
            for (int i = 0; i < arguments.Length; i++) addresses[i] = KernelArgument.ValueOf(first + i);
            driver.ThrowIfFailed(driver.cuLaunchKernel(
                _function, (uint)shape.Grid.X, (uint)shape.Grid.Y, (uint)shape.Grid.Z,
                (uint)shape.Block.X, (uint)shape.Block.Y, (uint)shape.Block.Z, (uint)shape.SharedBytes,
                stream.Handle, addresses, null));
        }
        GC.KeepAlive(stream);
        GC.KeepAlive(_module);
    }

    private void RequireArguments(ReadOnlySpan<KernelArgument> arguments)
    {
        if (arguments.Length != _parameterBytes.Length)
        {
            throw new ArgumentException(
                $"{Name} takes {_parameterBytes.Length} arguments, but {arguments.Length} were given.");
        }
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i].Size != _parameterBytes[i])
            {
                throw new ArgumentException(
                    $"{Name}: argument {i} has {arguments[i].Size} bytes, the kernel's parameter " +
                    $"{_parameterBytes[i]}.");
            }
        }
    }

    private void RequireShape(LaunchShape shape)
    {
        (Extent grid, Extent block, int sharedBytes) = shape;
        if (grid is { X: < 1 } or { Y: < 1 or > MaximumGridY } or { Z: < 1 or > MaximumGridZ })
            throw new ArgumentException($"{Name}: a grid of {grid} blocks; 1 to 2147483647 x 65535 x 65535 can be.");
        if (block is { X: < 1 or > MaximumBlockXY } or { Y: < 1 or > MaximumBlockXY } or { Z: < 1 or > MaximumBlockZ }
            || block.Count > MaximumThreadsPerBlock)
        {
            throw new ArgumentException(
                $"{Name}: a block of {block} threads; 1 to 1024 x 1024 x 64 can be, and of this kernel " +
                $"{MaximumThreadsPerBlock} in all.");
        }
        if (sharedBytes < 0 || sharedBytes > MaximumSharedBytes)
        {
            throw new ArgumentException(
                $"{Name}: {sharedBytes} bytes of dynamic shared memory; {_module.Context.Device.Name} has " +
                $"{MaximumSharedBytes} beside the kernel's own {StaticSharedBytes}.");
        }
    }

    private int Attribute(FunctionAttribute attribute)
    {
        CudaDriver driver = _module.Context.Driver;
        int value;
        driver.ThrowIfFailed(driver.cuFuncGetAttribute(&value, attribute, _function));
        return value;
    }
}
