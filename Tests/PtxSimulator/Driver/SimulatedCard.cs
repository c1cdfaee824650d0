using System.Text;
using PtxSimulator;
using PtxSimulator.Driver;

namespace EfficientAD.Tests.PtxSimulator.Driver;

/// <summary>A device of one test, with its primary context current, a non-blocking stream and the test
/// kernels.</summary>
internal sealed unsafe class SimulatedCard : IDisposable
{
    /// <summary>add_one adds 1 to each of n words; store writes a value; the rest do something wrong.</summary>
    private static readonly byte[] Kernels = [.. """
        .version 7.0
        .target sm_80
        .address_size 64

        .visible .entry add_one(.param .u64 add_one_param_0, .param .u32 add_one_param_1)
        {
            .reg .pred %p<2>;
            .reg .b32 %r<7>;
            .reg .b64 %rd<5>;
            ld.param.u64 %rd1, [add_one_param_0];
            ld.param.u32 %r1, [add_one_param_1];
            mov.u32 %r2, %ctaid.x;
            mov.u32 %r3, %ntid.x;
            mov.u32 %r4, %tid.x;
            mad.lo.s32 %r5, %r2, %r3, %r4;
            setp.ge.s32 %p1, %r5, %r1;
            @%p1 bra $DONE;
            cvta.to.global.u64 %rd2, %rd1;
            mul.wide.s32 %rd3, %r5, 4;
            add.s64 %rd4, %rd2, %rd3;
            ld.global.u32 %r6, [%rd4];
            add.s32 %r6, %r6, 1;
            st.global.u32 [%rd4], %r6;
        $DONE:
            ret;
        }

        .visible .entry store(.param .u64 store_param_0, .param .u32 store_param_1)
        {
            .reg .b32 %r<2>;
            .reg .b64 %rd<3>;
            ld.param.u64 %rd1, [store_param_0];
            ld.param.u32 %r1, [store_param_1];
            cvta.to.global.u64 %rd2, %rd1;
            st.global.u32 [%rd2], %r1;
            ret;
        }

        .visible .entry stop()
        {
            trap;
            ret;
        }

        """u8, 0];

    private readonly int _device;
    private readonly Dictionary<string, nint> _functions = [];

    public SimulatedCard(SimulatedDeviceOptions? options = null)
    {
        Assert.Equal(0, Cu.Init());
        _device = SimulatedDriver.AddDevice(options ?? new SimulatedDeviceOptions());
        Assert.Equal(0, Cu.PrimaryRetain(out nint context, _device));
        Context = context;
        Assert.Equal(0, Cu.CtxPush(context));
        Assert.Equal(0, Cu.StreamCreate(out nint stream, flags: 1));
        Stream = stream;
        Assert.Equal(0, Cu.ModuleLoad(out nint module, Kernels));
        Module = module;
        foreach (string name in (string[])["add_one", "store", "stop"])
        {
            Assert.Equal(0, Cu.ModuleGetFunction(out nint function, module, [.. Encoding.UTF8.GetBytes(name), 0]));
            _functions[name] = function;
        }
    }

    public int Device => _device;

    public nint Context { get; }

    public nint Stream { get; }

    public nint Module { get; }

    public nint Function(string name) => _functions[name];

    /// <summary>Words on the device, all of one value, ready to be used on any stream.</summary>
    public ulong Words(int count, uint value)
    {
        Assert.Equal(0, Cu.MemAlloc(out ulong address, 4L * count));
        Assert.Equal(0, Cu.MemsetD32Async(address, value, count, Stream));
        Assert.Equal(0, Cu.StreamSynchronize(Stream));
        return address;
    }

    public int AddOne(ulong address, int count, nint stream)
    {
        void** parameters = stackalloc void*[] { &address, &count };
        return Cu.LaunchKernel(
            Function("add_one"), ((uint)(count + 31) / 32, 1, 1), (32, 1, 1), 0, stream, parameters);
    }

    public int Store(ulong address, uint value, nint stream)
    {
        void** parameters = stackalloc void*[] { &address, &value };
        return Cu.LaunchKernel(Function("store"), (1, 1, 1), (1, 1, 1), 0, stream, parameters);
    }

    /// <summary>A word as a synchronous copy sees it: without what non-blocking streams have not done yet.</summary>
    public static uint Peek(ulong address)
    {
        uint word;
        Assert.Equal(0, Cu.MemcpyDtoH(&word, address, 4));
        return word;
    }

    /// <summary>Leaves the context current nowhere and ends it, with whatever the test has left in it.</summary>
    public void Dispose()
    {
        Cu.CtxPop(out _);
        Assert.Equal(0, Cu.PrimaryRelease(_device));
    }
}
