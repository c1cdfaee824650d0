using System.Runtime.InteropServices;
using EfficientAD.Tests.Gpu;
using PtxSimulator;
using PtxSimulator.Counting;

namespace EfficientAD.Tests.PtxSimulator;

/// <summary>A simulated device with buffers, for kernels that a test writes as PTX.</summary>
internal sealed class PtxBench(SimulatedDeviceOptions? options = null) : IDisposable
{
    public SimulatedDevice Device { get; } = new(options ?? new SimulatedDeviceOptions { MemoryBytes = 16 << 20 });

    /// <summary>A kernel <c>test</c> with two pointers, <c>%in</c> and <c>%out</c>, the thread's number in <c>%t</c>,
    /// and registers %p, %h, %r, %d, %f and %q of 1, 16, 32, 64 bits, float and double.</summary>
    /// <param name="capability">That the kernel needs, times ten: 80, or 89 for what came later.</param>
    public static string Kernel(string body, string declarations = "", int capability = 80) => $$"""
        .version {{(capability > 80 ? "8.4" : "7.0")}}
        .target sm_{{capability}}
        .address_size 64
        {{declarations}}
        .visible .entry test(.param .u64 input, .param .u64 output)
        {
            .reg .pred %p<20>; .reg .b16 %h<20>; .reg .b32 %r<40>, %t; .reg .b64 %d<20>, %in, %out;
            .reg .f32 %f<40>; .reg .f64 %q<20>;
            ld.param.u64 %in, [input];
            ld.param.u64 %out, [output];
            mov.u32 %t, %tid.x;
            {{body}}
            ret;
        }
        """;

    public ulong Buffer<T>(ReadOnlySpan<T> values, string label = "input") where T : unmanaged
    {
        var address = Device.Memory.Allocate(Math.Max(1, values.Length * Marshal.SizeOf<T>()), label);
        Device.Memory.Write(address, MemoryMarshal.AsBytes(values));
        return address;
    }

    public T[] Read<T>(ulong address, int count) where T : unmanaged
    {
        var values = new T[count];
        Device.Memory.Read(address, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    public LaunchReport Launch(
        string body, ulong input, ulong output, int threads = 32, int blocks = 1, int sharedBytes = 0,
        string declarations = "", int capability = 80) =>
        Launch(
            PtxModule.Parse(Kernel(body, declarations, capability), "test.ptx").Kernels["test"], input, output, threads,
            blocks, sharedBytes);

    public LaunchReport Launch(
        PtxKernel kernel, ulong input, ulong output, int threads = 32, int blocks = 1, int sharedBytes = 0) =>
        Device.Run(kernel, new(blocks), new(threads), sharedBytes,
            MemoryMarshal.AsBytes<ulong>(new[] { input, output }));

    /// <summary>Runs a kernel of one block and returns what it wrote: <paramref name="count"/> values. A real GPU,
    /// where there is one, must write the same.</summary>
    public static TOut[] Run<TIn, TOut>(
        string body, TIn[] input, int count, int threads = 32, int sharedBytes = 0, string declarations = "",
        SimulatedDeviceOptions? options = null, int capability = 80)
        where TIn : unmanaged where TOut : unmanaged
    {
        if (capability > 80)
        {
            options ??= new SimulatedDeviceOptions { MemoryBytes = 16 << 20 };
            options = options with { ComputeCapability = capability };
        }

        using var bench = new PtxBench(options);
        var (source, target) = (bench.Buffer<TIn>(input), bench.Buffer<TOut>(new TOut[count], "output"));
        bench.Launch(body, source, target, threads, 1, sharedBytes, declarations, capability);
        var written = bench.Read<TOut>(target, count);
        RealGpu.AssertWritesTheSame(
            Kernel(body, declarations, capability), input, written, threads, sharedBytes, capability);
        return written;
    }

    /// <summary>Runs a kernel that is at fault.</summary>
    public static SimulationException Fault(
        string body, int threads = 32, int sharedBytes = 0, string declarations = "",
            SimulatedDeviceOptions? options = null)
    {
        using var bench = new PtxBench(options);
        var (source, target) = (bench.Buffer<float>(new float[64]), bench.Buffer<float>(new float[64], "output"));
        return Assert.Throws<SimulationException>(() => bench.Launch(
            body, source, target, threads, 1, sharedBytes, declarations));
    }

    public void Dispose() => Device.Dispose();
}
