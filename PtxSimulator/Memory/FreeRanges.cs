namespace PtxSimulator.Memory;

/// <summary>The free ranges of a memory; the lowest that fits is taken first.</summary>
internal sealed class FreeRanges
{
    private readonly SortedList<long, long> _bytes = [];

    public FreeRanges(long start, long bytes) => _bytes.Add(start, bytes);

    /// <summary>Returns where the range starts, or -1 if none fits.</summary>
    public long Take(long bytes)
    {
        for (var i = 0; i < _bytes.Count; i++)
        {
            if (_bytes.Values[i] < bytes) continue;
            var (start, size) = (_bytes.Keys[i], _bytes.Values[i]);
            _bytes.RemoveAt(i);
            if (size > bytes) _bytes.Add(start + bytes, size - bytes);
            return start;
        }
        return -1;
    }

    public void Return(long start, long bytes)
    {
        if (_bytes.Remove(start + bytes, out var next)) bytes += next;
        var before = _bytes.IndexOfLast(start);
        if (before >= 0 && _bytes.Keys[before] + _bytes.Values[before] == start)
            _bytes[_bytes.Keys[before]] += bytes;
        else
            _bytes.Add(start, bytes);
    }
}
