namespace EfficientAD.Models.Torch;

/// <summary>A class or function that a pickle names. It is a pair of texts: never looked up, never called.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    /// <summary>Safe to print, for messages.</summary>
    public override string ToString() => SafetensorsHeader.Printable($"{Module}.{Name}");
}

/// <summary>What a pickle wants built by a call or a class: kept as it is written, inert.</summary>
internal sealed class PickleObject(PickleGlobal type, object? arguments)
{
    public PickleGlobal Type { get; } = type;

    public object? Arguments { get; } = arguments;

    /// <summary>What the object's <c>__setstate__</c> or <c>__dict__</c> would have got.</summary>
    public object? State { get; set; }

    /// <summary>Entries of a class derived from dict.</summary>
    public PickleDictionary Items { get; } = new();

    /// <summary>The value of an attribute of its <c>__dict__</c>; null where there is none.</summary>
    public object? Attribute(string name)
    {
        // With __slots__ the state is a pair: the dictionary, and the slots.
        object? state = State is PickleTuple { Items: [var first, ..] } ? first : State;
        return (state as PickleDictionary)?.Get(name);
    }
}

internal sealed record PickleTuple(object?[] Items)
{
    private const int LongestShape = 16;

    /// <summary>The items as whole numbers; null where one is none, or where there are more than a tensor has
    /// extents.</summary>
    public long[]? Integers() => Items.Length <= LongestShape && Array.TrueForAll(Items, item => item is long)
        ? Array.ConvertAll(Items, item => (long)item!)
        : null;
}

/// <summary>A dictionary, in the order in which it was written. Keys are compared only where they are texts.</summary>
internal sealed class PickleDictionary
{
    // Made at the first question, when reading is over: thousands of objects may share one large dictionary.
    private Dictionary<string, object?>? _byText;
    private int _indexed;

    public List<(object? Key, object? Value)> Entries { get; } = [];

    /// <summary>How many entries were looked at to answer all questions so far.</summary>
    public long EntriesRead { get; private set; }

    /// <summary>The last value under a text key; null where there is none.</summary>
    public object? Get(string key)
    {
        if (_byText is null || _indexed != Entries.Count) _byText = Index();
        return _byText.GetValueOrDefault(key);
    }

    private Dictionary<string, object?> Index()
    {
        var index = new Dictionary<string, object?>();
        foreach ((object? key, object? value) in Entries)
            if (key is string text) index[text] = value;
        _indexed = Entries.Count;
        EntriesRead += _indexed;
        return index;
    }
}
