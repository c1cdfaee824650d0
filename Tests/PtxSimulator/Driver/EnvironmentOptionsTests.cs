using PtxSimulator;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.PtxSimulator.Driver;

public class EnvironmentOptionsTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void NoWords_LeaveDeviceZeroAsItIs(string? text)
    {
        EnvironmentOptions options = EnvironmentOptions.Parse(text);
        Assert.Equal((new SimulatedDeviceOptions(), null, null), (options.Device, options.ReportPath, options.Error));
    }

    [Fact]
    public void Words_AreTaken()
    {
        EnvironmentOptions options = EnvironmentOptions.Parse(
            "capability=90  checks=none counters=off memory=64 seed=3 report=/tmp/a=b.txt");
        var expected = new SimulatedDeviceOptions
        {
            ComputeCapability = 90,
            Checks = Checks.None,
            Counters = false,
            MemoryBytes = 64 << 20,
            Seed = 3,
        };
        Assert.Equal((expected, "/tmp/a=b.txt", null), (options.Device, options.ReportPath, options.Error));
    }

    [Theory]
    [InlineData("checks=some")]
    [InlineData("capability=61")]
    [InlineData("memory=4096")]
    [InlineData("seed=-1")]
    [InlineData("colour=red")]
    [InlineData("checks")]
    [InlineData("report=")]
    public void WhatIsNotUnderstood_IsNamed(string word) =>
        Assert.Contains($"'{word}'", EnvironmentOptions.Parse($"counters=on {word}").Error);
}
