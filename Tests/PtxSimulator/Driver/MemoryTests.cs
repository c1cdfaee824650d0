namespace EfficientAD.Tests.PtxSimulator.Driver;

public unsafe class MemoryTests
{
    [Fact]
    public void WrongSizes_AreInvalid()
    {
        using var card = new SimulatedCard();
        Assert.Equal(1, Cu.MemAlloc(out _, 0));
        Assert.Equal(1, Cu.MemAllocAsync(out _, 0, card.Stream));
        Assert.Equal(1, Cu.MemHostAlloc(out _, 0));
        ulong words = card.Words(4, value: 0);
        uint word = 0;
        Assert.Equal(1, Cu.MemcpyHtoD(words + 13, &word, 4));
        Assert.Contains("run past allocation 1 (cuMemAlloc_v2, 16 bytes)", Cu.ErrorString(1));
        Assert.Equal(1, Cu.MemcpyDtoH(&word, words - 4, 4));
        Assert.Equal(1, Cu.MemcpyHtoD(words, null, 4));
        Assert.Equal(1, Cu.MemsetD32Async(words + 2, 0, 1, card.Stream));
        Assert.Equal(1, Cu.MemsetD32Async(words, 0, 5, card.Stream));
        Assert.Equal(0, Cu.MemcpyHtoD(words + 16, null, 0));
    }

    [Fact]
    public void MemoryThatIsNotThere_IsSaidSo()
    {
        using var card = new SimulatedCard(new() { MemoryBytes = 1 << 20 });
        Assert.Equal(2, Cu.MemAlloc(out _, 2 << 20));
        Assert.Equal(0, Cu.MemAllocAsync(out ulong most, 700_000, card.Stream));
        Assert.Equal(2, Cu.MemAllocAsync(out _, 700_000, card.Stream));
        Assert.Equal("CUDA_ERROR_OUT_OF_MEMORY", Cu.ErrorName(2));
        Assert.Equal(0, Cu.MemFreeAsync(most, card.Stream));
        Assert.Equal(0, Cu.MemAllocAsync(out _, 700_000, card.Stream));
    }

    [Fact]
    public void Memory_IsFreedOnce()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(4, value: 0);
        Assert.Equal(1, Cu.MemFree(words + 4));
        Assert.Equal(0, Cu.MemFree(words));
        Assert.Equal(1, Cu.MemFree(words));
        Assert.Equal(0, Cu.MemFree(0));
        Assert.Equal(0, Cu.MemAllocAsync(out ulong ordered, 16, card.Stream));
        Assert.Equal(0, Cu.MemFreeAsync(ordered, card.Stream));
        Assert.Equal(1, Cu.MemFreeAsync(ordered, card.Stream));
        Assert.Contains("freed twice", Cu.ErrorString(1));
        Assert.Equal(1, Cu.MemsetD32Async(ordered, 0, 1, card.Stream));
    }

    [Fact]
    public void StreamOrderedMemory_IsUsableUntilTheStreamFreesIt()
    {
        using var card = new SimulatedCard();
        uint word;
        Assert.Equal(0, Cu.MemAllocAsync(out ulong ordered, 4, card.Stream));
        Assert.Equal(0, card.Store(ordered, 7, card.Stream));
        Assert.Equal(0, Cu.MemcpyDtoHAsync(&word, ordered, 4, card.Stream));
        Assert.Equal(7u, word);
        Assert.Equal(0, card.Store(ordered, 8, card.Stream));
        Assert.Equal(0, Cu.MemFreeAsync(ordered, card.Stream));
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(0, card.Store(ordered, 9, card.Stream));
        Assert.Equal(700, Cu.StreamSynchronize(card.Stream));
    }

    /// <summary>The program forgot that the other stream still works on the memory.</summary>
    [Fact]
    public void StreamOrderedMemoryFreedUnderAnotherStream_IsAFault()
    {
        using var card = new SimulatedCard();
        Assert.Equal(0, Cu.MemAllocAsync(out ulong ordered, 4, card.Stream));
        Assert.Equal(0, Cu.StreamCreate(out nint other, 1));
        Assert.Equal(0, card.Store(ordered, 7, other));
        Assert.Equal(0, Cu.MemFreeAsync(ordered, card.Stream));
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(700, Cu.StreamSynchronize(other));
    }

    [Fact]
    public void FreeingOrdinaryMemory_WaitsForTheDevice()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0), freed = card.Words(1, value: 0);
        Assert.Equal(0, card.Store(words, 7, card.Stream));
        Assert.Equal(0, card.Store(freed, 7, card.Stream));
        Assert.Equal(0, Cu.MemFree(freed));
        Assert.Equal(7u, SimulatedCard.Peek(words));
    }

    [Fact]
    public void PointersAreKnownByWhatTheyPointTo()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(4, value: 0);
        Assert.Equal(0, Cu.MemHostAlloc(out nint pinned, 64));
        Assert.Equal(0, Cu.PointerMemoryType(out int onDevice, words + 8));
        Assert.Equal(0, Cu.PointerMemoryType(out int onHost, (ulong)pinned + 8));
        Assert.Equal((2, 1), (onDevice, onHost));
        Assert.Equal(1, Cu.PointerMemoryType(out _, words + 16));
        Assert.Equal(0, Cu.MemFreeHost(pinned));
        Assert.Equal(1, Cu.MemFreeHost(pinned));
        Assert.Equal(1, Cu.PointerMemoryType(out _, (ulong)pinned));
    }
}
