using PtxSimulator.Reports;

namespace PtxSimulator.Driver;

/// <summary>A kernel of a loaded module, with the attributes that can be set.</summary>
internal sealed class DriverFunction(DriverModule module, PtxKernel kernel)
{
    private const int UnknownRegisters = 32;

    private int _dynamicSharedLimit = Math.Max(0, DeviceLimits.DefaultSharedPerBlock - kernel.StaticSharedBytes);

    public DriverModule Module => module;

    public DriverContext Context => module.Context;

    public PtxKernel Kernel => kernel;

    /// <summary>As ptxas counted them for this architecture; of a kernel that it was not asked about, so few that they
    /// limit nothing.</summary>
    public int Registers =>
        Options.Resources.Registers(kernel.Name, Options.ComputeCapability) ?? UnknownRegisters;

    /// <summary>Most dynamic shared memory that a launch may ask for, in bytes.</summary>
    public int DynamicSharedLimit
    {
        get => _dynamicSharedLimit;
        set
        {
            int most = Limits.SharedPerBlock - kernel.StaticSharedBytes;
            if (value < 0 || value > most)
            {
                throw new DriverException(
                    DriverError.InvalidValue,
                    $"{kernel.Name}: {value} bytes of dynamic shared memory; at most {most}.");
            }

            _dynamicSharedLimit = value;
        }
    }

    private DeviceLimits Limits => Context.Device.Limits;

    private SimulatedDeviceOptions Options => Context.Device.Options;

    public int BlocksPerMultiprocessor(int threads, int dynamicSharedBytes) =>
        Limits.BlocksThatFit(threads, Registers, kernel.StaticSharedBytes + dynamicSharedBytes);

    /// <summary>A launch as a work of a stream; the parameters are the work's own.</summary>
    /// <exception cref="DriverException">The device cannot launch this.</exception>
    public Work Launch(Extent grid, Extent block, int dynamicSharedBytes, byte[] parameters)
    {
        RequireGeometry(grid, block);
        if (dynamicSharedBytes > _dynamicSharedLimit)
        {
            throw new DriverException(DriverError.InvalidValue,
                $"{kernel.Name}: {dynamicSharedBytes} bytes of dynamic shared memory; allowed are " +
                $"{_dynamicSharedLimit}. Set CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES first.");
        }

        return new Work(WorkKind.Kernel, $"{kernel.Name} {grid}x{block}", Run);

        void Run()
        {
            DriverDevice device = Context.Device;
            var report = device.Simulator.Run(kernel, grid, block, dynamicSharedBytes, parameters);
            device.Launches.Add(new LaunchSummary(report));
        }
    }

    private void RequireGeometry(Extent grid, Extent block)
    {
        bool isGrid =
            grid.X >= 1 && grid.Y is >= 1 and <= DeviceLimits.GridY && grid.Z is >= 1 and <= DeviceLimits.GridZ;
        bool isBlock = block.X is >= 1 and <= DeviceLimits.BlockX && block.Y is >= 1 and <= DeviceLimits.BlockY &&
            block.Z is >= 1 and <= DeviceLimits.BlockZ && block.Count <= DeviceLimits.ThreadsPerBlock;
        if (!isGrid || !isBlock)
        {
            throw new DriverException(DriverError.InvalidValue,
                $"{kernel.Name}: grid {grid} of blocks {block}; a grid has 1 to (2147483647, 65535, 65535) blocks, " +
                $"a block 1 to (1024, 1024, 64) and at most {DeviceLimits.ThreadsPerBlock} threads.");
        }

        if (block.Count > kernel.MaxThreadsPerBlock)
        {
            throw new DriverException(DriverError.InvalidValue,
                $"{kernel.Name}: blocks of {block.Count} threads; the kernel was compiled for " +
                $"{kernel.MaxThreadsPerBlock}.");
        }

        if (BlocksPerMultiprocessor((int)block.Count, 0) < 1)
        {
            throw new DriverException(DriverError.LaunchOutOfResources,
                $"{kernel.Name}: a block of {block.Count} threads with {Registers} registers each does not fit.");
        }
    }
}
