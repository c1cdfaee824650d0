using PtxSimulator;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.PtxSimulator.Driver;

public unsafe class FaultTests
{
    [Fact]
    public void Fault_ComesBackAtTheSynchronisationAndStays()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        Assert.Equal(0, card.Store(words + 4, 7, card.Stream));
        Assert.Equal(700, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(700, Cu.CtxSynchronize());
        Assert.Equal(700, Cu.MemAlloc(out _, 16));
        Assert.Equal(700, card.Store(words, 7, card.Stream));
        Assert.Equal(700, Cu.StreamQuery(card.Stream));

        SimulationException fault = SimulatedDriver.LastFault(card.Device)!;
        Assert.Equal((FaultKind.OutOfBounds, words + 4), (fault.Kind, fault.Address));
        Assert.Equal("store", fault.Location!.Value.Kernel);
        Assert.Equal("CUDA_ERROR_ILLEGAL_ADDRESS", Cu.ErrorName(700));
        Assert.StartsWith("an illegal memory access was encountered: ", Cu.ErrorString(700));
        Assert.Contains("allocation 1 (cuMemAlloc_v2, 4 bytes)", Cu.ErrorString(700));
    }

    [Fact]
    public void MisalignedAddress_Is716()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(2, value: 0);
        Assert.Equal(0, card.Store(words + 2, 7, card.Stream));
        Assert.Equal(716, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(FaultKind.Misaligned, SimulatedDriver.LastFault(card.Device)!.Kind);
    }

    [Fact]
    public void Trap_Is719()
    {
        using var card = new SimulatedCard();
        Assert.Equal(0, Cu.LaunchKernel(card.Function("stop"), (1, 1, 1), (1, 1, 1), 0, card.Stream, null));
        Assert.Equal(719, Cu.StreamSynchronize(card.Stream));
    }

    [Fact]
    public void MemoryThatNothingWrote_Is719AndNamed()
    {
        using var card = new SimulatedCard();
        Assert.Equal(0, Cu.MemAlloc(out ulong words, 4));
        Assert.Equal(0, card.AddOne(words, 1, card.Stream));
        Assert.Equal(719, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(FaultKind.UninitializedRead, SimulatedDriver.LastFault(card.Device)!.Kind);
    }

    [Fact]
    public void AfterAFault_WaitingWorkIsDropped()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        Assert.Equal(0, Cu.StreamCreate(out nint other, 1));
        Assert.Equal(0, card.Store(words + 4, 7, card.Stream));
        Assert.Equal(0, card.Store(words, 7, other));
        Assert.Equal(700, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(700, Cu.StreamSynchronize(other));
    }

    [Fact]
    public void OtherContexts_GoOn()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        Assert.Equal(0, Cu.CtxCreate(out nint other, card.Device));
        Assert.Equal(0, Cu.CtxPop(out _));
        Assert.Equal(0, card.Store(words + 4, 7, card.Stream));
        Assert.Equal(700, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(0, Cu.CtxPush(other));
        Assert.Equal(0, Cu.MemAlloc(out ulong fine, 4));
        Assert.Equal(0, Cu.MemFree(fine));
        Assert.Equal(0, Cu.CtxSynchronize());
        Assert.Equal(0, Cu.CtxDestroy(other));
    }

    [Fact]
    public void NewPrimaryContext_IsHealthy()
    {
        int device;
        using (var card = new SimulatedCard())
        {
            device = card.Device;
            Assert.Equal(0, Cu.LaunchKernel(card.Function("stop"), (1, 1, 1), (1, 1, 1), 0, card.Stream, null));
            Assert.Equal(719, Cu.CtxSynchronize());
        }

        Assert.Empty(SimulatedDriver.Leaks(device));
        Assert.Equal(0, Cu.PrimaryRetain(out nint context, device));
        Assert.Equal(0, Cu.CtxPush(context));
        Assert.Equal(0, Cu.CtxSynchronize());
        Assert.Equal(0, Cu.CtxPop(out _));
        Assert.Equal(0, Cu.PrimaryRelease(device));
    }

    [Fact]
    public void Diagnosis_IsOfTheErrorThatWasReturned()
    {
        using var card = new SimulatedCard();
        Assert.Equal(1, Cu.MemAlloc(out _, 0));
        Assert.Equal("invalid argument: 0 bytes were asked for.", Cu.ErrorString(1));
        Assert.Equal("invalid resource handle", Cu.ErrorString(400));
    }
}
