namespace EfficientAD.Tests.PtxSimulator.Driver;

public unsafe class StreamTests
{
    [Fact]
    public void Work_IsNotDoneBeforeTheStreamIsSynchronised()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(40, value: 5);
        Assert.Equal(0, card.AddOne(words, 40, card.Stream));
        Assert.Equal(5u, SimulatedCard.Peek(words));
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(6u, SimulatedCard.Peek(words + 39 * 4));
    }

    [Fact]
    public void BlockingStream_IsWaitedForByASynchronousCopy()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 5);
        Assert.Equal(0, Cu.StreamCreate(out nint blocking, 0));
        Assert.Equal(0, card.AddOne(words, 1, blocking));
        Assert.Equal(6u, SimulatedCard.Peek(words));
    }

    [Fact]
    public void LegacyStream_KeepsOrderWithBlockingStreams()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        Assert.Equal(0, Cu.StreamCreate(out nint blocking, 0));
        Assert.Equal(0, card.Store(words, 1, blocking));
        Assert.Equal(0, card.Store(words, 2, 0));
        Assert.Equal(0, card.AddOne(words, 1, blocking));
        Assert.Equal(0, Cu.StreamSynchronize(blocking));
        Assert.Equal(3u, SimulatedCard.Peek(words));
    }

    [Fact]
    public void PinnedMemory_IsFilledWhenItsTurnComes()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 5);
        Assert.Equal(0, Cu.MemHostAlloc(out nint pinned, 4));
        *(uint*)pinned = 1;
        Assert.Equal(0, Cu.MemcpyDtoHAsync((void*)pinned, words, 4, card.Stream));
        Assert.Equal(1u, *(uint*)pinned);
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(5u, *(uint*)pinned);
    }

    [Fact]
    public void PinnedMemory_IsReadWhenItsTurnComes_OrdinaryMemoryAtOnce()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(2, value: 0);
        Assert.Equal(0, Cu.MemHostAlloc(out nint pinned, 4));
        uint ordinary = *(uint*)pinned = 1;
        Assert.Equal(0, Cu.MemcpyHtoDAsync(words, (void*)pinned, 4, card.Stream));
        Assert.Equal(0, Cu.MemcpyHtoDAsync(words + 4, &ordinary, 4, card.Stream));
        ordinary = *(uint*)pinned = 2;
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal((2u, 1u), (SimulatedCard.Peek(words), SimulatedCard.Peek(words + 4)));
    }

    [Fact]
    public void CopyToOrdinaryMemory_WaitsForTheStream()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 5);
        Assert.Equal(0, card.AddOne(words, 1, card.Stream));
        uint word;
        Assert.Equal(0, Cu.MemcpyDtoHAsync(&word, words, 4, card.Stream));
        Assert.Equal(6u, word);
    }

    [Fact]
    public void PinnedMemoryFreedTooEarly_IsAFault()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 5);
        Assert.Equal(0, Cu.MemHostAlloc(out nint pinned, 4));
        Assert.Equal(0, Cu.MemcpyDtoHAsync((void*)pinned, words, 4, card.Stream));
        Assert.Equal(0, Cu.MemFreeHost(pinned));
        Assert.Equal(700, Cu.StreamSynchronize(card.Stream));
        Assert.Contains("pinned memory", Cu.ErrorString(700));
    }

    [Fact]
    public void Polling_SeesNotReadyAndGetsThere()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 5);
        Assert.Equal(0, Cu.StreamQuery(card.Stream));
        Assert.Equal(0, card.AddOne(words, 1, card.Stream));
        Assert.Equal(0, card.AddOne(words, 1, card.Stream));
        Assert.Equal(600, Cu.StreamQuery(card.Stream));
        Assert.Equal(6u, SimulatedCard.Peek(words));
        Assert.Equal(600, Cu.StreamQuery(card.Stream));
        Assert.Equal(0, Cu.StreamQuery(card.Stream));
        Assert.Equal(7u, SimulatedCard.Peek(words));
    }

    [Fact]
    public void Event_OrdersStreams()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        Assert.Equal(0, Cu.StreamCreate(out nint other, 1));
        Assert.Equal(0, Cu.EventCreate(out nint stored));
        Assert.Equal(0, card.Store(words, 7, card.Stream));
        Assert.Equal(0, Cu.EventRecord(stored, card.Stream));
        Assert.Equal(0, Cu.StreamWaitEvent(other, stored));
        Assert.Equal(0, card.AddOne(words, 1, other));
        Assert.Equal(0, card.Store(words, 100, card.Stream));
        Assert.Equal(0, Cu.StreamSynchronize(other));
        Assert.Equal(8u, SimulatedCard.Peek(words));
        Assert.Equal(0, Cu.CtxSynchronize());
        Assert.Equal(100u, SimulatedCard.Peek(words));
    }

    [Fact]
    public void WithoutEvent_NothingOrdersStreams()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        Assert.Equal(0, Cu.StreamCreate(out nint other, 1));
        Assert.Equal(0, card.Store(words, 7, card.Stream));
        Assert.Equal(0, card.AddOne(words, 1, other));
        Assert.Equal(0, Cu.StreamSynchronize(other));
        Assert.Equal(1u, SimulatedCard.Peek(words));
    }

    [Fact]
    public void EventsMeasureASimulatedTimeThatRises()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        Assert.Equal(0, Cu.EventCreate(out nint start));
        Assert.Equal(0, Cu.EventCreate(out nint end));
        Assert.Equal(400, Cu.EventElapsedTime(out _, start, end));
        Assert.Equal(0, Cu.EventRecord(start, card.Stream));
        Assert.Equal(0, card.AddOne(words, 1, card.Stream));
        Assert.Equal(0, Cu.EventRecord(end, card.Stream));
        Assert.Equal(600, Cu.EventElapsedTime(out _, start, end));
        Assert.Equal(600, Cu.EventQuery(end));
        Assert.Equal(0, Cu.EventSynchronize(end));
        Assert.Equal(0, Cu.EventQuery(end));
        Assert.Equal(0, Cu.EventElapsedTime(out float milliseconds, start, end));
        Assert.True(milliseconds > 0);
        Assert.Equal(0, Cu.EventCreate(out nint untimed, flags: 2));
        Assert.Equal(0, Cu.EventRecord(untimed, card.Stream));
        Assert.Equal(0, Cu.EventSynchronize(untimed));
        Assert.Equal(400, Cu.EventElapsedTime(out _, start, untimed));
    }

    [Fact]
    public void DestroyedStream_StillDoesItsWork()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        Assert.Equal(0, Cu.StreamCreate(out nint other, 1));
        Assert.Equal(0, card.Store(words, 7, other));
        Assert.Equal(0, Cu.StreamDestroy(other));
        Assert.Equal(0, Cu.CtxSynchronize());
        Assert.Equal(7u, SimulatedCard.Peek(words));
    }

    [Fact]
    public void DevicesOfTwoThreads_DoNotDisturbEachOther() => Parallel.For(0, 4, i =>
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(100, value: (uint)i);
        for (int step = 0; step < 10; step++) Assert.Equal(0, card.AddOne(words, 100, card.Stream));
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal((uint)i + 10, SimulatedCard.Peek(words + 4 * 99));
    });
}
