namespace PtxSimulator.Memory;

/// <summary>Goes through the rows of a box of a tensor, in the order in which they lie in shared memory.</summary>
internal ref struct BoxRows
{
    private readonly TensorMap _map;
    private readonly ReadOnlySpan<int> _corner;
    private TensorMap.Box _index;
    private readonly int _first, _last;
    private bool _started;

    /// <param name="corner">Coordinates of the box's first element, which may lie outside of the tensor.</param>
    public BoxRows(in TensorMap map, ReadOnlySpan<int> corner)
    {
        _map = map;
        _corner = corner;
        var inner = (long)map.Extent[0];
        var first = Math.Clamp(-(long)corner[0], 0, map.Counts[0]);
        var last = Math.Clamp(inner - corner[0], first, map.Counts[0]);
        (_first, _last) = ((int)first, (int)last);
    }

    /// <summary>Bytes of a row in shared memory.</summary>
    public readonly int Bytes => _map.Counts[0] * _map.ElementBytes;

    /// <summary>Address of the part of the row that lies within the tensor.</summary>
    public ulong Address { get; private set; }

    /// <summary>Bytes of the row before that part.</summary>
    public readonly int BytesBefore => _first * _map.ElementBytes;

    /// <summary>Bytes of that part; 0 where the row is outside.</summary>
    public int BytesWithin { get; private set; }

    public bool MoveNext()
    {
        if (_started && !Advance()) return false;
        _started = true;
        var address = (long)_map.Address + (_corner[0] + _first) * (long)_map.ElementBytes;
        var isWithin = true;
        for (var i = 1; i < _map.Rank; i++)
        {
            var place = _corner[i] + (long)_index[i] * _map.Steps[i];
            isWithin &= place >= 0 && place < _map.Extent[i];
            address += place * (long)_map.Pitch[i - 1];
        }
        Address = (ulong)address;
        BytesWithin = isWithin ? (_last - _first) * _map.ElementBytes : 0;
        return true;
    }

    private bool Advance()
    {
        for (var i = 1; i < _map.Rank; i++)
        {
            if (++_index[i] < _map.Counts[i]) return true;
            _index[i] = 0;
        }
        return false;
    }
}
