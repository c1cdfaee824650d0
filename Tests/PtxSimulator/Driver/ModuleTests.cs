using System.Text;

namespace EfficientAD.Tests.PtxSimulator.Driver;

public unsafe class ModuleTests
{
    private const string Head = ".version 7.0\n.target sm_80\n.address_size 64\n";

    [Theory]
    [InlineData("no PTX at all", 218)]
    [InlineData(".version 7.0\n.target sm_90\n.address_size 64\n", 218)]
    [InlineData(".version 8.5\n.target sm_80\n.address_size 64\n", 222)]
    [InlineData(".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry f() { foo.b32 %r1; }", 218)]
    [InlineData("\u007FELF and the rest of a cubin", 209)]
    public void WhatTheDeviceCannotRun_IsRefused(string text, int error)
    {
        using var card = new SimulatedCard();
        Assert.Equal(error, Cu.ModuleLoad(out _, Encoding.UTF8.GetBytes(text + '\0')));
    }

    [Fact]
    public void Log_SaysWhatIsWrong()
    {
        using var card = new SimulatedCard();
        byte[] text = Encoding.UTF8.GetBytes($"{Head}.visible .entry f()\n{{\n    foo.b32 %r1;\n}}\n\0");
        byte[] log = new byte[1000];
        fixed (byte* image = text, buffer = log)
        {
            int* options = stackalloc int[] { 5, 6 };
            nuint* values = stackalloc nuint[] { (nuint)buffer, 1000 };
            Assert.Equal(218, Cu.ModuleLoadEx(out _, image, 2, options, values));
            string said = Encoding.UTF8.GetString(log, 0, (int)values[1]);
            Assert.Contains("(6)", said);
            Assert.Contains("foo.b32", said);
        }
    }

    [Fact]
    public void Log_IsCutToItsBuffer()
    {
        using var card = new SimulatedCard();
        byte[] log = [.. Enumerable.Repeat((byte)'x', 16)];
        fixed (byte* image = "no PTX\0"u8, buffer = log)
        {
            int* options = stackalloc int[] { 5, 6 };
            nuint* values = stackalloc nuint[] { (nuint)buffer, 8 };
            Assert.Equal(218, Cu.ModuleLoadEx(out _, image, 2, options, values));
            Assert.Equal((nuint)7, values[1]);
        }

        Assert.Equal(0, log[7]);
        Assert.Equal((byte)'x', log[8]);
    }

    [Fact]
    public void MissingKernel_IsNotFound()
    {
        using var card = new SimulatedCard();
        Assert.Equal(500, Cu.ModuleGetFunction(out _, card.Module, "add_two\0"u8));
        Assert.Contains("add_one, store, stop", Cu.ErrorString(500));
    }

    [Fact]
    public void Attributes_AreThoseOfTheKernel()
    {
        using var card = new SimulatedCard();
        byte[] text = Encoding.UTF8.GetBytes(
            Head + """
                .visible .entry f()
                .maxntid 128, 1, 1
                {
                    .reg .b32 %r<2>;
                    .shared .align 4 .b8 tile[2048];
                    mov.u32 %r1, 0;
                    st.shared.u32 [tile], %r1;
                    ret;
                }
                """ + '\0');
        Assert.Equal(0, Cu.ModuleLoad(out nint module, text));
        Assert.Equal(0, Cu.ModuleGetFunction(out nint f, module, "f\0"u8));
        Assert.Equal((128, 2048, 0, 80, 86), (Attribute(0), Attribute(1), Attribute(3), Attribute(5), Attribute(6)));

        Assert.Equal((48 << 10) - 2048, Attribute(8));
        Assert.Equal(0, Cu.FuncSetAttribute(f, 8, (99 << 10) - 2048));
        Assert.Equal((99 << 10) - 2048, Attribute(8));
        Assert.Equal(1, Cu.FuncSetAttribute(f, 8, (99 << 10) - 2047));
        Assert.Equal(1, Cu.FuncSetAttribute(f, 0, 64));

        // 1536 threads per multiprocessor; then 2 KiB and 1 KiB of the system's out of 100; then 40 more.
        Assert.Equal((12, 2), (Occupancy(128, 0), Occupancy(64, 40 << 10)));
        Assert.Equal(0, Occupancy(256, 0));

        int Attribute(int attribute)
        {
            Assert.Equal(0, Cu.FuncGetAttribute(out int value, attribute, f));
            return value;
        }

        int Occupancy(int threads, int sharedBytes)
        {
            Assert.Equal(0, Cu.OccupancyMaxActiveBlocks(out int blocks, f, threads, sharedBytes));
            return blocks;
        }
    }
}
