namespace EfficientAD.Models.Torch;

/// <summary>The values that a pickle numbers in order to refer to them again.</summary>
/// <remarks>A list, since Python numbers in order. In a dictionary a file could choose numbers that all fall into one
/// bucket.</remarks>
/// <param name="limit">Numbers from here on are refused.</param>
internal sealed class PickleMemo(int limit)
{
    private static readonly object Undefined = new();

    private readonly List<object?> _values = [];

    /// <summary>How many numbers have a value; the next one that Python gives by itself.</summary>
    public int Defined { get; private set; }

    /// <returns>Whether the number is within the limit.</returns>
    public bool TrySet(int number, object? value)
    {
        if (number < 0 || number >= limit) return false;
        while (_values.Count <= number) _values.Add(Undefined);
        if (_values[number] == Undefined) Defined++;
        _values[number] = value;
        return true;
    }

    /// <returns>Whether the number has a value.</returns>
    public bool TryGet(int number, out object? value)
    {
        value = number >= 0 && number < _values.Count ? _values[number] : Undefined;
        return value != Undefined;
    }
}
