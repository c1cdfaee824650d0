using PtxSimulator.Driver;

namespace EfficientAD.Tests.PtxSimulator.Driver;

public class ContextTests
{
    [Fact]
    public void WithoutContext_CallsThatNeedOneFail()
    {
        using (var card = new SimulatedCard())
        {
            Assert.Equal(0, Cu.CtxPop(out _));
            Assert.Equal(201, Cu.MemAlloc(out _, 16));
            Assert.Equal(201, Cu.StreamCreate(out _, 0));
            Assert.Equal(201, Cu.CtxSynchronize());
            Assert.Equal(201, Cu.CtxPop(out _));
            Assert.Equal(0, Cu.CtxGetCurrent(out nint current));
            Assert.Equal(0, current);
            Assert.Equal(0, Cu.CtxPush(card.Context));
        }
    }

    [Fact]
    public void Stack_GivesBackWhatWasCurrentBefore()
    {
        using var card = new SimulatedCard();
        Assert.Equal(0, Cu.CtxCreate(out nint inner, card.Device));
        Assert.NotEqual(card.Context, inner);
        Assert.Equal(0, Cu.CtxGetCurrent(out nint current));
        Assert.Equal(inner, current);
        Assert.Equal(0, Cu.CtxPop(out nint popped));
        Assert.Equal(inner, popped);
        Assert.Equal(0, Cu.CtxGetCurrent(out current));
        Assert.Equal(card.Context, current);
        Assert.Equal(0, Cu.CtxDestroy(inner));
        Assert.Equal(201, Cu.CtxPush(inner));
    }

    [Fact]
    public void Current_IsOfTheThread()
    {
        using var card = new SimulatedCard();
        nint current = 1;
        var thread = new Thread(() => Cu.CtxGetCurrent(out current));
        thread.Start();
        thread.Join();
        Assert.Equal(0, current);
    }

    [Fact]
    public void PrimaryContext_LivesUntilItsLastUserReleasesIt()
    {
        int device = SimulatedDriver.AddDevice(new());
        Assert.Equal(0, Cu.Init());
        Assert.Equal(201, Cu.PrimaryRelease(device));
        Assert.Equal(0, Cu.PrimaryRetain(out nint first, device));
        Assert.Equal(0, Cu.PrimaryRetain(out nint second, device));
        Assert.Equal(first, second);
        Assert.Equal(0, Cu.PrimaryRelease(device));
        Assert.Equal(0, Cu.CtxPush(first));
        Assert.Equal(0, Cu.MemAlloc(out _, 16));
        Assert.Equal(0, Cu.CtxPop(out _));
        Assert.Equal(201, Cu.CtxDestroy(first));
        Assert.Equal(0, Cu.PrimaryRelease(device));
        Assert.Equal(201, Cu.CtxPush(first));
        Assert.Equal(["allocation 1 (cuMemAlloc_v2, 16 bytes)"], SimulatedDriver.Leaks(device));
    }

    [Fact]
    public void Handles_AreOfOneKindAndLifetime()
    {
        using var card = new SimulatedCard();
        Assert.Equal(400, Cu.StreamSynchronize(card.Module));
        Assert.Equal(400, Cu.StreamSynchronize(0x1234));
        Assert.Equal(400, Cu.EventRecord(card.Stream, card.Stream));
        Assert.Equal(400, Cu.ModuleUnload(card.Stream));
        Assert.Equal(0, Cu.StreamCreate(out nint stream, 1));
        Assert.Equal(0, Cu.StreamDestroy(stream));
        Assert.Equal(400, Cu.StreamDestroy(stream));
        Assert.Equal(201, Cu.CtxPush(card.Stream));
        Assert.Equal(101, Cu.DeviceGet(out _, 1_000_000));
        nint function = card.Function("store");
        Assert.Equal(0, Cu.ModuleUnload(card.Module));
        Assert.Equal(400, Cu.FuncGetAttribute(out _, 0, function));
    }

    [Fact]
    public void WhatIsLeft_IsNamedWhenTheContextEnds()
    {
        int device;
        using (var card = new SimulatedCard())
        {
            device = card.Device;
            Assert.Equal(0, Cu.EventCreate(out _));
            Assert.Equal(0, Cu.MemHostAlloc(out _, 32));
            Assert.Equal(0, Cu.MemAllocAsync(out _, 64, card.Stream));
            Assert.Equal(0, Cu.MemAllocAsync(out ulong freed, 128, card.Stream));
            Assert.Equal(0, Cu.MemFreeAsync(freed, card.Stream));
        }

        Assert.Equal(
            [
                "stream",
                "module module",
                "event",
                "pinned memory of 32 bytes",
                "allocation 1 (cuMemAllocAsync, 64 bytes)",
            ],
            SimulatedDriver.Leaks(device));
    }

    [Fact]
    public void Attributes_AreThoseOfTheArchitecture()
    {
        using var card = new SimulatedCard(new() { ComputeCapability = 90 });
        int[] values = [.. new[] { 1, 10, 75, 76, 97 }.Select(Attribute)];
        Assert.Equal([1024, 32, 9, 0, 232448], values);
        Assert.Equal(1, Cu.DeviceGetAttribute(out _, 12345, card.Device));

        int Attribute(int attribute)
        {
            Assert.Equal(0, Cu.DeviceGetAttribute(out int value, attribute, card.Device));
            return value;
        }
    }
}
