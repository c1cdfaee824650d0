using System.Runtime.InteropServices;

namespace EfficientAD.Tests.PtxSimulator.Driver;

public unsafe class LaunchTests
{
    [Fact]
    public void Parameters_AreCopiedAtTheCall()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        uint value = 7;
        void** parameters = stackalloc void*[] { &words, &value };
        Assert.Equal(0, Cu.LaunchKernel(card.Function("store"), (1, 1, 1), (1, 1, 1), 0, card.Stream, parameters));
        value = 8;
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(7u, SimulatedCard.Peek(words));
    }

    [Fact]
    public void Geometry_IsChecked()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        (uint X, uint Y, uint Z) one = (1, 1, 1);
        Assert.Equal(0, Launch(one, (1024, 1, 1)));
        Assert.Equal(1, Launch(one, (1025, 1, 1)));
        Assert.Equal(1, Launch(one, (512, 2, 2)));
        Assert.Equal(1, Launch(one, (1, 1, 65)));
        Assert.Equal(1, Launch(one, (0, 1, 1)));
        Assert.Equal(1, Launch((0, 1, 1), one));
        Assert.Equal(1, Launch((1, 65536, 1), one));
        Assert.Equal(1, Launch((uint.MaxValue, 1, 1), one));
        Assert.Equal(0, Launch(one, one, 48 << 10));
        Assert.Equal(1, Launch(one, one, (48 << 10) + 1));
        Assert.Contains("MAX_DYNAMIC_SHARED", Cu.ErrorString(1));

        int Launch((uint X, uint Y, uint Z) grid, (uint X, uint Y, uint Z) block, uint sharedBytes = 0)
        {
            ulong address = words;
            int count = 0;
            void** parameters = stackalloc void*[] { &address, &count };
            return Cu.LaunchKernel(card.Function("add_one"), grid, block, sharedBytes, card.Stream, parameters);
        }
    }

    [Fact]
    public void MissingParameters_AreInvalid()
    {
        using var card = new SimulatedCard();
        nint store = card.Function("store");
        ulong words = card.Words(1, value: 0);
        void** half = stackalloc void*[] { &words, null };
        Assert.Equal(1, Cu.LaunchKernel(store, (1, 1, 1), (1, 1, 1), 0, card.Stream, null));
        Assert.Equal(1, Cu.LaunchKernel(store, (1, 1, 1), (1, 1, 1), 0, card.Stream, half));
        Assert.Contains("parameter 1 of store", Cu.ErrorString(1));
    }

    [Fact]
    public void OneBufferOfParameters_MustHaveTheirSize()
    {
        using var card = new SimulatedCard();
        nint store = card.Function("store");
        ulong words = card.Words(1, value: 0);
        byte* buffer = stackalloc byte[12];
        *(ulong*)buffer = words;
        *(uint*)(buffer + 8) = 7;
        nuint size = 12;
        void** extra = stackalloc void*[] { (void*)1, buffer, (void*)2, &size, null };
        Assert.Equal(0, Cu.LaunchKernel(store, (1, 1, 1), (1, 1, 1), 0, card.Stream, null, extra));
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(7u, SimulatedCard.Peek(words));
        size = 16;
        Assert.Equal(1, Cu.LaunchKernel(store, (1, 1, 1), (1, 1, 1), 0, card.Stream, null, extra));
        Assert.Contains("takes 12 bytes of parameters, the buffer has 16", Cu.ErrorString(1));
    }

    [Fact]
    public void ContextsOfStreamFunctionAndThread_MustBeOne()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        Assert.Equal(0, Cu.CtxCreate(out nint other, card.Device));
        Assert.Equal(0, Cu.StreamCreate(out nint stream, 1));
        Assert.Equal(400, card.Store(words, 7, stream));
        Assert.Equal(201, card.Store(words, 7, card.Stream));
        Assert.Equal(0, Cu.StreamDestroy(stream));
        Assert.Equal(0, Cu.CtxDestroy(other));
        Assert.Equal(0, card.Store(words, 7, card.Stream));
    }

    [Theory]
    [InlineData(8, 0u, 0)] // priority
    [InlineData(6, 1u, 0)] // programmatic serialisation: kept in full order
    [InlineData(2, 1u, 801)] // cooperative
    [InlineData(4, 2u, 801)] // clusters of 2 blocks
    public void LaunchAttributes_AreObeyedOrRefused(int id, uint value, int expected)
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 0);
        uint stored = 7;
        void** parameters = stackalloc void*[] { &words, &stored };
        byte* attribute = stackalloc byte[72];
        new Span<byte>(attribute, 72).Clear();
        *(int*)attribute = id;
        *(uint*)(attribute + 8) = value;
        byte* configuration = stackalloc byte[56];
        new Span<byte>(configuration, 56).Clear();
        for (int i = 0; i < 6; i++) ((uint*)configuration)[i] = 1;
        *(nint*)(configuration + 32) = card.Stream;
        *(byte**)(configuration + 40) = attribute;
        *(uint*)(configuration + 48) = 1;
        Assert.Equal(expected, Cu.LaunchKernelEx(configuration, card.Function("store"), parameters));
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(expected == 0 ? 7u : 0u, SimulatedCard.Peek(words));
    }

    [Fact]
    public void HostFunction_RunsInOrderAndMustNotCallBack()
    {
        using var card = new SimulatedCard();
        ulong words = card.Words(1, value: 5);
        Assert.Equal(0, Cu.MemHostAlloc(out nint pinned, 8));
        ((uint*)pinned)[1] = 0;
        Assert.Equal(0, Cu.MemcpyDtoHAsync((void*)pinned, words, 4, card.Stream));
        Assert.Equal(0, Cu.LaunchHostFunc(card.Stream, &Double, (void*)pinned));
        Assert.Equal(0u, ((uint*)pinned)[1]);
        Assert.Equal(0, Cu.StreamSynchronize(card.Stream));
        Assert.Equal(10u, *(uint*)pinned);
        Assert.Equal(800u, ((uint*)pinned)[1]);
    }

    [UnmanagedCallersOnly]
    private static void Double(void* data)
    {
        *(uint*)data *= 2;
        ((uint*)data)[1] = (uint)Cu.CtxSynchronize();
    }
}
