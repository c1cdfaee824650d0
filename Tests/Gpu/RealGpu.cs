using System.Runtime.InteropServices;
using System.Text;
using EfficientAD.Native;
using Extent = EfficientAD.Native.Extent;

namespace EfficientAD.Tests.Gpu;

/// <summary>The first real GPU, where there is one: what the simulator's tests expect is then asked of it
/// too.</summary>
internal static class RealGpu
{
    /// <summary>Marks tests to run first where there is a GPU: -trait "Gpu=needed".</summary>
    public const string Trait = "Gpu", Needed = "needed";

    private static readonly Lazy<CudaContext?> FirstDevice =
        new(() => CudaDevices.Query().Devices.Count == 0 ? null : CudaContext.Open());

    /// <exception cref="Xunit.Sdk.SkipException">There is none; the message says why.</exception>
    public static CudaContext OpenOrSkip()
    {
        Assert.SkipWhen(FirstDevice.Value is null, $"No GPU. {CudaDevices.Query().Unavailable}");
        return FirstDevice.Value!;
    }

    /// <summary>Runs one block of a kernel <c>test(input, output)</c> on the GPU, if any, and compares what it wrote
    /// with the simulator's result, bit for bit. Approximate instructions are left out: their last bits are the card's
    /// own.</summary>
    /// <param name="capability">That the kernel needs, times ten; an older card is not asked.</param>
    public static void AssertWritesTheSame<TIn, TOut>(
        string ptx, TIn[] input, TOut[] simulated, int threads, int sharedBytes, int capability = 80)
        where TIn : unmanaged where TOut : unmanaged
    {
        if (FirstDevice.Value is not { } context || ptx.Contains(".approx", StringComparison.Ordinal)) return;
        if (context.Device.ComputeCapability < new Version(capability / 10, capability % 10)) return;
        using var stream = new CudaStream(context);
        using var source = new DeviceBuffer(stream, Math.Max(1, (long)input.Length * Marshal.SizeOf<TIn>()));
        using var target = new DeviceBuffer(stream, (long)simulated.Length * Marshal.SizeOf<TOut>());
        using var module = new CudaModule(context, Encoding.ASCII.GetBytes(ptx), "test.ptx");
        stream.Upload<TIn>(input, source.Address);
        stream.Upload<TOut>(new TOut[simulated.Length], target.Address);
        var shape = new LaunchShape(new Extent(1), new Extent(threads), sharedBytes);
        module.GetKernel("test").Launch(stream, shape, source.Address, target.Address);
        var written = new TOut[simulated.Length];
        stream.Download<TOut>(target.Address, written);
        Assert.Equal(
            Convert.ToHexString(MemoryMarshal.AsBytes<TOut>(simulated)),
            Convert.ToHexString(MemoryMarshal.AsBytes<TOut>(written)));
    }
}
