using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Native;

namespace EfficientAD.Tests.Backends;

public class DeviceTests
{
    [Theory]
    [InlineData("auto", DeviceKind.Auto, 0, "auto")]
    [InlineData("cpu", DeviceKind.Cpu, 0, "cpu")]
    [InlineData("cuda", DeviceKind.Cuda, 0, "cuda:0")]
    [InlineData("cuda:3", DeviceKind.Cuda, 3, "cuda:3")]
    public void Text_ReadsAndWrites(string text, DeviceKind kind, int index, string written)
    {
        var device = Device.Parse(text);
        Assert.Equal(new Device(kind, index), device);
        Assert.Equal(written, device.ToString());
        Assert.Equal(device, Device.Parse(device.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("gpu")]
    [InlineData("CPU")]
    [InlineData("cpu:0")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda: 1")]
    [InlineData("cuda:1x")]
    [InlineData("cuda:99999999999")]
    public void OtherText_IsRefusedWithWhatCanStand(string text)
    {
        Assert.False(Device.TryParse(text, out _));
        var error = Assert.Throws<FormatException>(() => Device.Parse(text));
        Assert.Equal($"--device {text}: unknown. Use auto, cpu, cuda, or cuda:N with N from 0.", error.Message);
    }

    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData("auto", "cuda:1")]
    [InlineData("cuda:1", "cuda:1")]
    [InlineData("cuda:2", "cuda:2")]
    public void Name_StandsForADeviceThatIsThereAndNewEnough(string text, string expected) =>
        Assert.Equal(expected, Device.Parse(text).Resolve(Cards("6.1", "7.5", "9.0")).ToString());

    [Theory]
    [InlineData(
        "cuda:0", "Card 0 has compute capability 6.1; the kernels need 7.5 (Turing) or newer. Use --device cpu.")]
    [InlineData("cuda:1", "--device cuda:1: the driver has 1 devices, numbered from 0. See 'efficientad devices'.")]
    public void DeviceThatIsMissingOrTooOld_IsRefused(string text, string message)
    {
        var error = Assert.Throws<NotSupportedException>(() => Device.Parse(text).Resolve(Cards("6.1")));
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void WithoutUsableCuda_AutoIsTheCpuAndCudaSaysWhy()
    {
        var none = new CudaDevices([], null, "No CUDA driver.");
        Assert.Equal("cpu", Device.Parse("auto").Resolve(none).ToString());
        Assert.Equal("cpu", Device.Parse("auto").Resolve(Cards("6.1")).ToString());
        var error = Assert.Throws<NotSupportedException>(() => Device.Parse("cuda").Resolve(none));
        Assert.Equal("--device cuda:0: No CUDA driver.", error.Message);
    }

    [Fact]
    public void Cpu_Opens()
    {
        using IBackend backend = Device.Parse("cpu").Open(new CpuOptions { Threads = 1 });
        Assert.StartsWith("CPU, 1 thread, ", backend.Name);
    }

    [Fact]
    public void CudaThatIsNotThere_DoesNotOpen()
    {
        var error = Assert.Throws<NotSupportedException>(() => new Device(DeviceKind.Cuda, 99).Open());
        Assert.StartsWith("--device cuda:99: ", error.Message);
    }

    private static CudaDevices Cards(params string[] capabilities) => new(
        [
            .. capabilities.Select((capability, i) =>
                new CudaDevice(i, $"Card {i}", new Version(capability), 80, 8L << 30)),
        ],
        new Version(12, 4), null);

    [Fact]
    public void Query_DescribesThisMachine()
    {
        var devices = Devices.Query();
        Assert.Equal(Environment.ProcessorCount, devices.Cpu.Cores);
        Assert.NotEqual(InstructionSet.Auto, devices.Cpu.InstructionSet);
        Assert.DoesNotContain(devices.Cpu.Model, char.IsControl);
        if (OperatingSystem.IsLinux() && ModelName() is { } name) Assert.Equal(name, devices.Cpu.Model);

        static string? ModelName() => File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[1].Trim();
    }
}
