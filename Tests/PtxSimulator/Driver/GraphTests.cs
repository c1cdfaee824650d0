using PtxSimulator;

namespace EfficientAD.Tests.PtxSimulator.Driver;

public unsafe class GraphTests
{
    [Fact]
    public void Capture_RecordsAndEachLaunchRepeats()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 5);
        Assert.Equal(0, Cu.StreamBeginCapture(card.Stream));
        Assert.Equal(0, card.AddOne(words, 1, card.Stream));
        Assert.Equal(0, card.AddOne(words, 1, card.Stream));
        Assert.Equal(0, Cu.StreamIsCapturing(card.Stream, out int status));
        Assert.Equal(1, status);
        nint executable = EndAndInstantiate(card.Stream);
        Assert.Equal(5u, SimulatedCard.Peek(words));

        for (uint launch = 1; launch <= 2; launch++)
        {
            Assert.Equal(0, Cu.GraphLaunch(executable, card.Stream));
            Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
            Assert.Equal(5 + 2 * launch, SimulatedCard.Peek(words));
        }
    }

    /// <summary>One stream stores, two others go on from there on a word each, the first waits for both.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Branches_KeepTheOrderOfEvents(int seed)
    {
        using var card = new SimulatedCard(new SimulatedDeviceOptions { Seed = seed });
        ulong words = card.Words(2, value: 0);
        nint[] events = [.. Enumerable.Range(0, 3).Select(_ => NewEvent())];
        Assert.Equal(0, Cu.StreamCreate(out nint left, 1));
        Assert.Equal(0, Cu.StreamCreate(out nint right, 1));
        Assert.Equal(0, Cu.StreamBeginCapture(card.Stream));
        Assert.Equal(0, card.Store(words, 10, card.Stream));
        Assert.Equal(0, card.Store(words + 4, 20, card.Stream));
        Assert.Equal(0, Cu.EventRecord(events[0], card.Stream));
        foreach ((nint stream, int i) in new[] { (left, 0), (right, 1) })
        {
            Assert.Equal(0, Cu.StreamWaitEvent(stream, events[0]));
            Assert.Equal(0, card.AddOne(words + 4 * (ulong)i, 1, stream));
            Assert.Equal(0, Cu.EventRecord(events[i + 1], stream));
            Assert.Equal(0, Cu.StreamWaitEvent(card.Stream, events[i + 1]));
        }

        Assert.Equal(0, card.AddOne(words, 2, card.Stream));
        nint executable = EndAndInstantiate(card.Stream);
        for (int launch = 0; launch < 4; launch++)
        {
            Assert.Equal(0, Cu.GraphLaunch(executable, card.Stream));
            Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
            Assert.Equal((12u, 22u), (SimulatedCard.Peek(words), SimulatedCard.Peek(words + 4)));
        }
    }

    /// <summary>Two branches that write the same word: some launch shows either order.</summary>
    [Fact]
    public void ForgottenDependency_Shows()
    {
        using var card = new SimulatedCard(new SimulatedDeviceOptions { Seed = 1 });
        ulong words = card.Words(1, value: 0);
        nint fork = NewEvent(), join = NewEvent();
        Assert.Equal(0, Cu.StreamCreate(out nint other, 1));
        Assert.Equal(0, Cu.StreamBeginCapture(card.Stream));
        Assert.Equal(0, Cu.EventRecord(fork, card.Stream));
        Assert.Equal(0, Cu.StreamWaitEvent(other, fork));
        Assert.Equal(0, card.Store(words, 1, card.Stream));
        Assert.Equal(0, card.Store(words, 2, other));
        Assert.Equal(0, Cu.EventRecord(join, other));
        Assert.Equal(0, Cu.StreamWaitEvent(card.Stream, join));
        nint executable = EndAndInstantiate(card.Stream);
        HashSet<uint> seen = [];
        for (int launch = 0; launch < 20; launch++)
        {
            Assert.Equal(0, Cu.GraphLaunch(executable, card.Stream));
            Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
            seen.Add(SimulatedCard.Peek(words));
        }

        Assert.Equal([1u, 2u], seen.Order());
    }

    [Fact]
    public void BranchThatNobodyWaitsFor_IsUnjoined()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        nint fork = NewEvent();
        Assert.Equal(0, Cu.StreamCreate(out nint other, 1));
        Assert.Equal(0, Cu.StreamBeginCapture(card.Stream));
        Assert.Equal(0, Cu.EventRecord(fork, card.Stream));
        Assert.Equal(0, Cu.StreamWaitEvent(other, fork));
        Assert.Equal(0, card.Store(words, 2, other));
        Assert.Equal(904, Cu.StreamEndCapture(card.Stream, out nint graph));
        Assert.Equal(0, graph);
        Assert.Equal(0, Cu.StreamIsCapturing(other, out int status));
        Assert.Equal(0, status);
    }

    [Fact]
    public void WhatWouldRunNow_SpoilsTheCapture()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        uint* word = stackalloc uint[1];
        Spoils(900, () => Cu.StreamSynchronize(card.Stream));
        Spoils(900, () => Cu.StreamQuery(card.Stream));
        Spoils(900, () => Cu.CtxSynchronize());
        Spoils(900, () => Cu.MemAlloc(out _, 16));
        Spoils(900, () => Cu.MemAllocAsync(out _, 16, card.Stream));
        Spoils(900, () => Cu.MemcpyDtoHAsync(word, words, 4, card.Stream));
        nint outside = NewEvent();
        Assert.Equal(0, Cu.EventRecord(outside, card.Stream));
        Spoils(905, () => Cu.StreamWaitEvent(card.Stream, outside));

        void Spoils(int error, Func<int> call)
        {
            Assert.Equal(0, Cu.StreamBeginCapture(card.Stream));
            Assert.Equal(error, call());
            Assert.Equal(901, card.Store(words, 1, card.Stream));
            Assert.Equal(901, Cu.StreamEndCapture(card.Stream, out _));
            Assert.Equal(0, card.Store(words, 1, card.Stream));
        }
    }

    [Fact]
    public void LegacyStream_CannotDependOnACapture()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        uint word;
        Assert.Equal(900, Cu.StreamBeginCapture(0));
        Assert.Equal(0, Cu.StreamCreate(out nint blocking, 0));
        Assert.Equal(0, Cu.StreamBeginCapture(blocking));
        Assert.Equal(906, Cu.MemcpyDtoH(&word, words, 4));
        Assert.Equal(901, Cu.StreamEndCapture(blocking, out _));
    }

    [Fact]
    public void EventOfACapture_CannotBeAsked()
    {
        using var card = new SimulatedCard();
        nint captured = NewEvent();
        Assert.Equal(0, Cu.StreamBeginCapture(card.Stream));
        Assert.Equal(0, Cu.EventRecord(captured, card.Stream));
        Assert.Equal(907, Cu.EventSynchronize(captured));
        Assert.Equal(901, Cu.StreamEndCapture(card.Stream, out _));
        Assert.Equal(401, Cu.StreamEndCapture(card.Stream, out _));
    }

    [Fact]
    public void AnotherThread_CannotEndTheCapture_ButMayAllocate()
    {
        using var card = new SimulatedCard();
        Assert.Equal(0, Cu.StreamBeginCapture(card.Stream));
        (int end, int allocate) = (-1, -1);
        var thread = new Thread(() =>
        {
            Cu.CtxPush(card.Context);
            end = Cu.StreamEndCapture(card.Stream, out _);
            allocate = Cu.MemAlloc(out _, 16);
            Cu.CtxPop(out _);
        });
        thread.Start();
        thread.Join();
        Assert.Equal((908, 0), (end, allocate));
        Assert.Equal(0, Cu.StreamEndCapture(card.Stream, out _));
    }

    [Fact]
    public void Update_TakesParametersButNoOtherForm()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        nint executable = Instantiate(Captured(() => card.Store(words, 1, card.Stream)));
        Assert.Equal(0, Cu.GraphExecUpdate(executable, Captured(() => card.Store(words, 2, card.Stream)), null));
        Assert.Equal(0, Cu.GraphLaunch(executable, card.Stream));
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(2u, SimulatedCard.Peek(words));

        nint* information = stackalloc nint[3];
        nint longer = Captured(() => card.Store(words, 3, card.Stream), () => card.Store(words, 4, card.Stream));
        Assert.Equal(910, Cu.GraphExecUpdate(executable, longer, information));
        Assert.Equal(2, *(int*)information);
        nint fill = Captured(() => Cu.MemsetD32Async(words, 3, 1, card.Stream));
        Assert.Equal(910, Cu.GraphExecUpdate(executable, fill, information));
        Assert.Equal(3, *(int*)information);
        Assert.Equal(0, Cu.GraphLaunch(executable, card.Stream));
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(2u, SimulatedCard.Peek(words));

        nint Captured(params Func<int>[] works)
        {
            Assert.Equal(0, Cu.StreamBeginCapture(card.Stream));
            foreach (Func<int> work in works) Assert.Equal(0, work());
            Assert.Equal(0, Cu.StreamEndCapture(card.Stream, out nint graph));
            return graph;
        }
    }

    [Fact]
    public void DestroyedGraphs_AreUnknown()
    {
        using var card = new SimulatedCard();
        Assert.Equal(0, Cu.StreamBeginCapture(card.Stream));
        Assert.Equal(0, Cu.StreamEndCapture(card.Stream, out nint graph));
        nint executable = Instantiate(graph);
        Assert.Equal(0, Cu.GraphDestroy(graph));
        Assert.Equal(400, Cu.GraphDestroy(graph));
        Assert.Equal(0, Cu.GraphLaunch(executable, card.Stream));
        Assert.Equal(0, Cu.GraphExecDestroy(executable));
        Assert.Equal(400, Cu.GraphLaunch(executable, card.Stream));
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
    }

    private static nint NewEvent()
    {
        Assert.Equal(0, Cu.EventCreate(out nint created));
        return created;
    }

    private static nint EndAndInstantiate(nint stream)
    {
        Assert.Equal(0, Cu.StreamEndCapture(stream, out nint graph));
        return Instantiate(graph);
    }

    private static nint Instantiate(nint graph)
    {
        Assert.Equal(0, Cu.GraphInstantiate(out nint executable, graph));
        return executable;
    }
}
