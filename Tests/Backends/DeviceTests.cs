using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;

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

    [Fact]
    public void ComputesOnTheCpuOnly()
    {
        Assert.Equal(new Device(DeviceKind.Cpu), Device.Parse("auto").Resolve());
        Assert.Equal(new Device(DeviceKind.Cpu), Device.Parse("cpu").Resolve());
        var error = Assert.Throws<NotSupportedException>(() => Device.Parse("cuda:1").Resolve());
        Assert.Equal("--device cuda:1: this version computes on the CPU only. Use --device cpu or auto.", error.Message);
    }

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
