namespace EfficientAD.Models.Torch;

/// <summary>
/// Reads what a pickle says without doing it. Python's format is a program for a small stack machine, which may name
/// any function and have it called; here names stay texts, calls become <see cref="PickleObject"/>, and the few calls
/// that make tensors and dictionaries are understood for what they are.
/// </summary>
/// <remarks>Opcodes are those that Python writes from protocol 2 on; names are those of <see cref="PickleNames"/>;
/// steps, texts and numbers are bounded. Nothing recurses, so depth costs nothing.</remarks>
internal ref struct PickleReader
{
    // A whole anomalib model takes about 20,000.
    private const int MaximumSteps = 1_000_000;
    private const int HighestProtocol = 5;

    // Of module and class together; the longest that a model refers to has about 80 characters.
    private const int MaximumName = 1024;

    private readonly Func<object?, object?> _resolve;
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly PickleMemo _memo = new(MaximumSteps);
    private PickleStream _stream;

    /// <param name="file">The file's name, for messages.</param>
    /// <param name="bytes">The pickle, and anything behind it.</param>
    /// <param name="resolve">Gives the object behind a persistent id.</param>
    public PickleReader(string file, ReadOnlySpan<byte> bytes, Func<object?, object?> resolve)
    {
        _stream = new PickleStream(file, bytes);
        _resolve = resolve;
    }

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _stream.Position;

    /// <summary>Reads to the end of the pickle.</summary>
    /// <returns>null, bool, long, BigInteger, double, string, byte[], a list, or one of the types of this
    /// folder.</returns>
    /// <exception cref="ModelFormatException">It is damaged, or asks for something that no model needs.</exception>
    public object? Read()
    {
        for (int step = 0; step < MaximumSteps; step++)
        {
            byte opcode = _stream.Byte();
            if (opcode == PickleOpcode.Stop)
                return _stack.Count == 1 && _marks.Count == 0
                    ? _stack[0]
                    : throw Refused("stops with values left over");
            if (!PushScalar(opcode) && !Structure(opcode) && !Build(opcode))
                throw Refused($"has the opcode 0x{opcode:x2}, which no model file needs");
        }

        throw Refused($"takes more than {MaximumSteps} steps, the limit");
    }

    /// <summary>Opcodes that push one value.</summary>
    private bool PushScalar(byte opcode)
    {
        object? value;
        switch (opcode)
        {
            case PickleOpcode.None: value = null; break;
            case PickleOpcode.True: value = true; break;
            case PickleOpcode.False: value = false; break;
            case PickleOpcode.Integer: value = (long)_stream.Int32(); break;
            case PickleOpcode.Integer1: value = (long)_stream.Byte(); break;
            case PickleOpcode.Integer2: value = (long)_stream.UInt16(); break;
            case PickleOpcode.Long1: value = _stream.Long(_stream.Length(1)); break;
            case PickleOpcode.Long4: value = _stream.Long(_stream.Length(4)); break;
            case PickleOpcode.Float: value = _stream.Double(); break;
            case PickleOpcode.Unicode: value = _stream.Text(_stream.Length(4)); break;
            case PickleOpcode.ShortUnicode: value = _stream.Text(_stream.Length(1)); break;
            case PickleOpcode.LongUnicode: value = _stream.Text(_stream.Length(8)); break;
            case PickleOpcode.String: value = _stream.Latin1(_stream.Length(4)); break;
            case PickleOpcode.ShortString: value = _stream.Latin1(_stream.Length(1)); break;
            case PickleOpcode.Bytes: value = _stream.Bytes(_stream.Length(4)); break;
            case PickleOpcode.ShortBytes: value = _stream.Bytes(_stream.Length(1)); break;
            case PickleOpcode.LongBytes: value = _stream.Bytes(_stream.Length(8)); break;
            case PickleOpcode.EmptyTuple: value = new PickleTuple([]); break;
            case PickleOpcode.EmptyList: value = new List<object?>(); break;
            case PickleOpcode.EmptyDictionary: value = new PickleDictionary(); break;
            case PickleOpcode.EmptySet: value = new List<object?>(); break;
            case PickleOpcode.Global: value = Global(_stream.Line(), _stream.Line()); break;
            case PickleOpcode.Get: value = Remembered(_stream.Byte()); break;
            case PickleOpcode.LongGet: value = Remembered(_stream.Int32()); break;
            default: return false;
        }

        _stack.Add(value);
        return true;
    }

    /// <summary>Opcodes that order the stack, the memo and the stream.</summary>
    private bool Structure(byte opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Protocol:
                byte protocol = _stream.Byte();
                if (protocol > HighestProtocol)
                    throw Refused($"is of protocol {protocol}; up to {HighestProtocol} is known");
                break;
            case PickleOpcode.Frame: _stream.Skip(8); break;
            case PickleOpcode.Mark: _marks.Add(_stack.Count); break;
            case PickleOpcode.Pop: Pop(); break;
            case PickleOpcode.PopMark: PopMark(); break;
            case PickleOpcode.Put: Remember(_stream.Byte()); break;
            case PickleOpcode.LongPut: Remember(_stream.Int32()); break;
            case PickleOpcode.Memoize: Remember(_memo.Defined); break;
            default: return false;
        }

        return true;
    }

    /// <summary>Opcodes that make a value of others.</summary>
    private bool Build(byte opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Tuple: _stack.Add(new PickleTuple(PopMark())); break;
            case PickleOpcode.Tuple1: _stack.Add(new PickleTuple([Pop()])); break;
            case PickleOpcode.Tuple2: _stack.Add(new PickleTuple(PopMany(2))); break;
            case PickleOpcode.Tuple3: _stack.Add(new PickleTuple(PopMany(3))); break;
            case PickleOpcode.List or PickleOpcode.FrozenSet: _stack.Add(new List<object?>(PopMark())); break;
            case PickleOpcode.Dictionary:
                object?[] pairs = PopMark();
                var dictionary = new PickleDictionary();
                Set(dictionary, pairs);
                _stack.Add(dictionary);
                break;
            case PickleOpcode.Append: Extend([Pop()]); break;
            case PickleOpcode.Appends or PickleOpcode.AddItems: Extend(PopMark()); break;
            case PickleOpcode.SetItem: Set(PopMany(2)); break;
            case PickleOpcode.SetItems: Set(PopMark()); break;
            case PickleOpcode.StackGlobal:
                object?[] names = PopMany(2);
                if (names is not [string module, string name])
                    throw Refused("names a class by something else than two texts");
                _stack.Add(Global(module, name));
                break;
            case PickleOpcode.PersistentId: _stack.Add(_resolve(Pop())); break;
            case PickleOpcode.Reduce or PickleOpcode.NewObject:
                object?[] call = PopMany(2);
                _stack.Add(Call(call[0], call[1]));
                break;
            case PickleOpcode.NewObjectKeywords:
                call = PopMany(3);
                _stack.Add(Call(call[0], call[1]));
                break;
            case PickleOpcode.Build:
                object? state = Pop();
                if (Top() is PickleObject target) target.State = state;
                break;
            default: return false;
        }

        return true;
    }

    private object? Call(object? callable, object? arguments)
    {
        if (callable is not PickleGlobal type) throw Refused("calls something that is no named class or function");
        if (arguments is not PickleTuple tuple) throw Refused($"calls {type} without a tuple of arguments");
        try
        {
            return TorchCalls.Understand(type, tuple.Items) ?? new PickleObject(type, arguments);
        }
        catch (ModelFormatException e)
        {
            throw Refused(e.Message);
        }
    }

    private PickleGlobal Global(string module, string name)
    {
        // Before anything is built of them: two texts may be named by a hundred thousand opcodes.
        if (module.Length + name.Length > MaximumName)
            throw Refused(
                $"names a class by {module.Length + name.Length} characters; the limit is {MaximumName}");
        var type = new PickleGlobal(module, name);
        return PickleNames.Contains(module, name)
            ? type
            : throw Refused(
                $"asks Python for {type}, which is not among the names that " +
                "a model file is read with (if it is your own class, save the model's state_dict() instead)");
    }

    private readonly void Extend(scoped ReadOnlySpan<object?> values)
    {
        switch (Top())
        {
            case List<object?> list: list.AddRange(values); break;
            case PickleObject: break;  // a class derived from list or set: its items are of no use to us
            default: throw Refused("appends to something that is no list");
        }
    }

    private readonly void Set(scoped ReadOnlySpan<object?> pairs)
    {
        switch (Top())
        {
            case PickleDictionary dictionary: Set(dictionary, pairs); break;
            case PickleObject item: Set(item.Items, pairs); break;
            default: throw Refused("sets items of something that is no dictionary");
        }
    }

    private readonly void Set(PickleDictionary dictionary, scoped ReadOnlySpan<object?> pairs)
    {
        if (pairs.Length % 2 != 0) throw Refused("has a key without a value");
        for (int i = 0; i < pairs.Length; i += 2) dictionary.Entries.Add((pairs[i], pairs[i + 1]));
    }

    private readonly void Remember(int index)
    {
        if (!_memo.TrySet(index, Top()))
            throw Refused($"numbers a value {index}; numbers from 0 to {MaximumSteps - 1} are read");
    }

    private readonly object? Remembered(int index) =>
        _memo.TryGet(index, out object? value)
            ? value
            : throw Refused($"refers to value {index}, which it did not define");

    private readonly object? Top() =>
        _stack.Count > Floor ? _stack[^1] : throw Refused("takes a value from an empty stack");

    private readonly object? Pop()
    {
        object? value = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private readonly object?[] PopMany(int count)
    {
        if (_stack.Count - Floor < count) throw Refused($"takes {count} values from a stack of {_stack.Count - Floor}");
        object?[] values = [.. _stack[^count..]];
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private readonly object?[] PopMark()
    {
        if (_marks.Count == 0) throw Refused("closes a group that it did not open");
        object?[] values = PopMany(_stack.Count - Floor);
        _marks.RemoveAt(_marks.Count - 1);
        return values;
    }

    /// <summary>Where the stack of the innermost open group begins.</summary>
    private readonly int Floor => _marks.Count == 0 ? 0 : _marks[^1];

    private readonly ModelFormatException Refused(string what) => _stream.Refused(what);
}
