using EfficientAD.Models;
using EfficientAD.Models.Torch;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Models.Torch;

/// <summary>Pickles that want something run, or too much of something: each ends in a message, nothing is
/// run.</summary>
public class PickleReaderTests
{
    /// <summary>Calls that have been found in the wild, and ways to hide them.</summary>
    public static TheoryData<string, string> Calls => new()
    {
        { "os", "system" },
        { "posix", "system" },
        { "nt", "system" },
        { "subprocess", "Popen" },
        { "builtins", "eval" },
        { "__builtin__", "exec" },
        { "builtins", "__import__" },
        { "runpy", "_run_code" },
        { "webbrowser", "open" },
        { "torchx", "anything" },       // begins like a package that we know
        { "collections", "namedtuple" },
        { "numpy.testing._private.utils", "runstring" },
        { "__main__", "Net" },
    };

    [Theory, MemberData(nameof(Calls))]
    public void CallOfAnythingElse_IsRefusedByName(string module, string name)
    {
        byte[] byGlobal = new PickleBytes().Global(module, name).Letters("(").Text("id").Letters("tR").End();
        byte[] byStack = new PickleBytes().Text(module).Text(name)
            .Add(0x93).Letters("(").Text("id").Letters("tR").End();
        foreach (byte[] pickle in new[] { byGlobal, byStack })
        {
            AssertRefused(pickle, $"asks Python for {module}.{name}");
            AssertRefused(pickle, "nothing in it was run");
        }
    }

    /// <summary>A pickle without its protocol, and what the message must say.</summary>
    public static TheoryData<string, byte[], string> Damages => new()
    {
        { "nothing", [], "ends 1 bytes early" },
        { "protocol", [0x80, 9], "is of protocol 9" },
        { "INST", [(byte)'(', (byte)'i', (byte)'o', (byte)'s', 10, (byte)'s', 10], "has the opcode 0x69" },
        { "extension registry", [0x82, 1], "has the opcode 0x82" },
        { "textual number", [(byte)'I', (byte)'1', 10], "has the opcode 0x49" },
        { "empty stack", [(byte)'0'], "takes a value from an empty stack" },
        { "pair of one", [(byte)'N', 0x86], "takes 2 values from a stack of 1" },
        { "beyond the mark", [(byte)'N', (byte)'(', (byte)'0'], "takes a value from an empty stack" },
        { "no mark", [(byte)'N', (byte)'t'], "closes a group that it did not open" },
        { "undefined memo", [(byte)'h', 7], "refers to value 7" },
        { "gap in the memo", [(byte)'N', (byte)'q', 5, (byte)'h', 3], "refers to value 3" },
        { "negative reference", [(byte)'N', (byte)'q', 0, (byte)'j', 255, 255, 255, 255], "refers to value -1" },
        { "negative memo", [(byte)'N', (byte)'r', 255, 255, 255, 255], "numbers a value -1" },
        { "memo beyond all steps", [(byte)'N', (byte)'r', 0x40, 0x42, 0x0f, 0], "numbers a value 1000000" },
        { "no list", [(byte)'N', (byte)'N', (byte)'a'], "appends to something that is no list" },
        { "no dictionary", [(byte)']', (byte)'N', (byte)'N', (byte)'s'], "sets items of something that is no" },
        { "odd dictionary", [(byte)'(', (byte)'N', (byte)'d'], "has a key without a value" },
        { "two values", [(byte)'N', (byte)'N', (byte)'.'], "stops with values left over" },
        { "open mark", [(byte)'N', (byte)'(', (byte)'.'], "stops with values left over" },
        {
            "dictionary of Python 2",
            [.. "ccollections\nOrderedDict\n(](K\u0001K\u0002l"u8, (byte)'a', (byte)'t', (byte)'R'],
            "makes a dictionary as Python 2 wrote it"
        },
        { "call of a text", [(byte)'U', 1, (byte)'x', (byte)')', (byte)'R'], "calls something that is no named class" },
        { "name without end", [(byte)'c', (byte)'o', (byte)'s'], "ends within a name" },
        { "names of numbers", [(byte)'K', 1, (byte)'K', 2, 0x93], "names a class by something else than two texts" },
        { "text of 4 GB", [(byte)'X', 0xff, 0xff, 0xff, 0xff], "gives a length of 4294967295 bytes" },
        { "text of 2 GB", [(byte)'X', 0xff, 0xff, 0xff, 0x7f], "holds a text of 2147483647 bytes" },
        { "bytes of 8 EB", [0x8e, 0, 0, 0, 0, 0, 0, 0, 0x7f], "gives a length of" },
        { "number of 1 MB", [0x8b, 0, 0, 16, 0], "holds a number of 1048576 bytes" },
        { "text that is none", [0x8c, 2, 0xc3, 0x28, (byte)'.'], "not UTF-8" },
        { "frame beyond the end", [0x95, 1, 2], "ends 6 bytes early" },
    };

    [Theory, MemberData(nameof(Damages))]
    public void Damage_IsRefusedWithItsReason(string what, byte[] opcodes, string reason)
    {
        Assert.NotEmpty(what);  // it names the case
        AssertRefused([0x80, 2, .. opcodes], reason);
    }

    [Theory]
    [InlineData(-1, 4, 1, "from value -1 on")]
    [InlineData(7, 4, 1, "from value 7 on, in a storage of 10 values")]
    [InlineData(0, -4, 1, "negative ones cannot be read")]
    [InlineData(0, 4, -1, "negative ones cannot be read")]
    [InlineData(0, 4, 4, "in a storage of 10 values")]
    [InlineData(0, long.MaxValue, 0, "more than 2147483647 values")]
    [InlineData(0, 2, long.MaxValue, "in a storage of 10 values")]
    [InlineData(long.MaxValue, 2, long.MaxValue, "in a storage of 10 values")]
    public void TensorOutsideItsStorage_IsRefused(long offset, long extent, long stride, string reason) =>
        AssertRefused(new PickleBytes().Tensor(10, offset, [extent], [stride]).End(), reason);

    [Fact]
    public void TensorOfHugeExtents_IsRefusedWithoutOverflow()
    {
        long[] large = [1L << 31, 1L << 31, 1L << 31];
        AssertRefused(new PickleBytes().Tensor(10, 0, large, [0, 0, 0]).End(), "the limit");
        AssertRefused(new PickleBytes().Tensor(10, 0, [1], [1, 1]).End(), "1 extents and 2 strides");
    }

    [Fact]
    public void EndlessPickle_IsCutOff()
    {
        byte[] pickle = [0x80, 2, .. Enumerable.Repeat((byte)'N', 2_000_000)];
        AssertRefused(pickle, "takes more than 1000000 steps");
    }

    [Fact]
    public void DeepNesting_TakesNoStack()
    {
        // Lists within lists, 400,000 deep: reading does not recurse.
        var pickle = new PickleBytes().Letters(new string(']', 400_000)).Letters(new string('a', 399_999)).End();
        Assert.IsType<List<object?>>(Read(pickle));
    }

    [Fact]
    public void ValueThatHoldsItself_IsRead()
    {
        byte[] pickle = new PickleBytes().Letters("}").Add((byte)'q', 0).Text("self")
            .Add((byte)'h', 0).Letters("s").End();
        var dictionary = Assert.IsType<PickleDictionary>(Read(pickle));
        Assert.Same(dictionary, dictionary.Get("self"));
    }

    [Fact]
    public void NumbersThatPythonGivesByItself_CountTheDefinedOnes()
    {
        // 10 as number 5, 20 as the next one, which is 1; both again.
        byte[] pickle = new PickleBytes().Letters("(K\nq\u0005K\u0014").Add(0x94).Letters("h\u0001h\u0005t").End();
        var tuple = Assert.IsType<PickleTuple>(Read(pickle));
        Assert.Equal([10L, 20L, 20L, 10L], tuple.Items);
    }

    [Fact]
    public void NameLongerThanAny_IsRefusedBeforeAnythingIsMadeOfIt()
    {
        string name = new('x', 1024 - "torch".Length);
        Assert.IsType<PickleGlobal>(Read(new PickleBytes().Global("torch", name).End()));
        Assert.IsType<PickleGlobal>(Read(new PickleBytes().Text("torch").Text(name).Add(0x93).End()));
        const string Reason = "names a class by 1025 characters; the limit is 1024";
        AssertRefused(new PickleBytes().Global("torch", name + "x").End(), Reason);
        AssertRefused(new PickleBytes().Text("torch").Text(name + "x").Add(0x93).End(), Reason);
    }

    [Fact]
    public void StateThatObjectsShare_IsReadOnceForAllOfThem()
    {
        var state = new PickleDictionary();
        for (int i = 0; i < 1000; i++) state.Entries.Add(($"key {i % 999}", (long)i));
        for (int i = 0; i < 300; i++)
        {
            var item = new PickleObject(new PickleGlobal("torch", "X"), null) { State = state };
            Assert.Equal(999L, item.Attribute("key 0"));  // the last of two
            Assert.Null(item.Attribute("absent"));
        }

        Assert.Equal(1000, state.EntriesRead);
        state.Entries.Add(("late", true));
        Assert.Equal(true, state.Get("late"));
    }

    [Fact]
    public void KnownClass_StaysInert()
    {
        byte[] pickle = new PickleBytes().Global("torch.nn.modules.linear", "Linear").Letters(")").Add(0x81)
            .Letters("}").Text("training").Add(0x89).Letters("sb").End();
        var module = Assert.IsType<PickleObject>(Read(pickle));
        Assert.Equal("torch.nn.modules.linear.Linear", module.Type.ToString());
        Assert.Equal(false, module.Attribute("training"));
    }

    [Fact]
    public void RandomDamage_NeverEscapesAsAnotherException()
    {
        byte[] sound = new PickleBytes().Letters("}(").Text("a").Tensor(10, 1, [2, 3], [3, 1])
            .Text("b").Integer(7).Letters("u").End();
        int refused = 0;
        const int rounds = 20_000;
        for (int round = 0; round < rounds; round++)
        {
            var random = new CounterRandom(2, (ulong)round);
            byte[] bytes = [.. sound];
            for (uint change = 0; change <= random.Below(0, 3); change++)
                bytes[random.Below(2 * change + 1, bytes.Length)] = (byte)random.Below(2 * change + 2, 256);
            try
            {
                Read(bytes);
            }
            catch (ModelFormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, rounds / 3, rounds - 1);
    }

    private static void AssertRefused(byte[] pickle, string reason)
    {
        var error = Assert.Throws<ModelFormatException>(() => Read(pickle));
        Assert.StartsWith("hostile.pth ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static object? Read(byte[] pickle) => new PickleReader("hostile.pth", pickle, id =>
        id is PickleTuple { Items: ["storage", PickleGlobal type, string key, _, long count] }
            ? new TorchStorage(key, TorchStorage.TypeOf(type.Name), type.Name, 0, count)
            : throw new ModelFormatException("hostile.pth refers to something else.")).Read();
}
