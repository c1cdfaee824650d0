using System.Runtime.CompilerServices;
using PtxSimulator.Counting;
using PtxSimulator.Execution;
using PtxSimulator.Memory;
using PtxSimulator.Parsing;

namespace PtxSimulator;

/// <summary>A GPU in software: memory, and kernels that run on it to their end.</summary>
/// <remarks>Launches on one device run one at a time.</remarks>
public sealed class SimulatedDevice(SimulatedDeviceOptions options) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ConditionalWeakTable<PtxKernel, KernelProgram> _programs = [];
    private readonly ConditionalWeakTable<Variable, StrongBox<ulong>> _variables = [];

    public SimulatedDeviceOptions Options => options;

    public DeviceMemory Memory { get; } = new(options.MemoryBytes);

    /// <summary>Shared memory that a block may use, static and dynamic, in bytes.</summary>
    public int SharedBytesLimit => options.ComputeCapability switch
    {
        75 => 64 << 10,
        80 or 87 => 163 << 10,
        86 or 89 => 99 << 10,
        _ => 227 << 10,
    };

    /// <summary>Runs a kernel to its end.</summary>
    /// <param name="parameters">The parameter buffer, laid out as <see cref="PtxKernel.Parameters"/> say.</param>
    /// <returns>What was counted; without counters, a report that holds the geometry alone.</returns>
    /// <exception cref="SimulationException">The kernel did something wrong, or the launch is impossible.</exception>
    public LaunchReport Run(
        PtxKernel kernel, Extent grid, Extent block, int dynamicSharedBytes, ReadOnlySpan<byte> parameters)
    {
        CheckGeometry(kernel, grid, block, dynamicSharedBytes, parameters.Length);
        lock (_lock)
        {
            var launch = new Launch
            {
                Program = _programs.GetValue(kernel, Decode),
                Options = options,
                Memory = Memory,
                Grid = grid,
                Block = block,
                SharedBytes = SharedBytes(kernel, dynamicSharedBytes),
                Parameters = parameters.ToArray(),
            };
            return launch.Run();
        }
    }

    public void Dispose()
    {
        foreach (var (_, program) in _programs) program.Dispose();
        _programs.Clear();
        Memory.Dispose();
    }

    private KernelProgram Decode(PtxKernel kernel) =>
        new(kernel, AddressOf, watches: options.Counters || options.Checks != Checks.None);

    // Variables of a module come to exist, with their initial values, when a kernel that names them first runs.
    private ulong AddressOf(Variable variable) => _variables.GetValue(variable, _ =>
    {
        var address = Memory.Allocate(Math.Max(variable.Bytes, 1), variable.Name);
        Memory.Write(address, variable.Initial ?? new byte[variable.Bytes]);
        return new StrongBox<ulong>(address);
    }).Value;

    private static int SharedBytes(PtxKernel kernel, int dynamicBytes)
    {
        var dynamicStart = kernel.Syntax.SharedOffsets.Where(entry => entry.Key.Bytes == 0)
            .Select(entry => entry.Value).DefaultIfEmpty(kernel.StaticSharedBytes).Max();
        return (dynamicBytes > 0 ? dynamicStart : kernel.StaticSharedBytes) + dynamicBytes;
    }

    private void CheckGeometry(PtxKernel kernel, Extent grid, Extent block, int dynamicSharedBytes, int parameterBytes)
    {
        if (grid.X < 1 || grid.Y is < 1 or > 65535 || grid.Z is < 1 or > 65535)
            throw Refusal(kernel, $"a grid of {grid} blocks; x may be up to 2^31 - 1, y and z up to 65535");
        if (block.X is < 1 or > 1024 || block.Y is < 1 or > 1024 || block.Z is < 1 or > 64
            || block.Count > kernel.MaxThreadsPerBlock)
            throw Refusal(kernel,
                $"a block of {block} threads; the kernel allows {kernel.MaxThreadsPerBlock}, x and y 1024, z 64");
        var shared = SharedBytes(kernel, dynamicSharedBytes);
        if (dynamicSharedBytes < 0 || shared > SharedBytesLimit)
            throw Refusal(kernel, $"{shared} bytes of shared memory; the device allows {SharedBytesLimit}");
        if (parameterBytes != kernel.ParameterBytes)
            throw Refusal(kernel, $"{parameterBytes} bytes of parameters; the kernel takes {kernel.ParameterBytes}");
        if (kernel.Module.Target > options.ComputeCapability)
            throw Refusal(kernel, $"PTX for sm_{kernel.Module.Target} on a device of compute capability " +
                $"{options.ComputeCapability / 10}.{options.ComputeCapability % 10}");
    }

    private static SimulationException Refusal(PtxKernel kernel, string what) =>
        new(FaultKind.InvalidLaunch, $"{kernel.Name} is launched with {what}.");
}
