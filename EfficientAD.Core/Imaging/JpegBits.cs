namespace EfficientAD.Imaging;

/// <summary>The bits of a scan up to the next marker. Behind its end it gives zeros and says so.</summary>
internal ref struct JpegBits(ReadOnlySpan<byte> bytes, int position)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position = position;
    private ulong _buffer;      // the next bits, from the highest on
    private int _buffered;      // how many of them are left; negative once zeros were made up and used

    /// <summary>More bits were used than there are.</summary>
    public readonly bool Overrun => _buffered < 0;

    /// <summary>Where the marker begins, once <see cref="IsAtMarker"/>.</summary>
    public readonly int Position => _position;

    public int Read(int count)
    {
        if (count == 0) return 0;
        int value = (int)(Peek() >> (16 - count));
        Skip(count);
        return value;
    }

    public void Skip(int count)
    {
        if (_buffered < count) Fill();
        _buffer <<= count;
        _buffered -= count;
    }

    /// <summary>Reads a symbol; -1 where the bits are none.</summary>
    public int Read(JpegHuffmanTable table)
    {
        var (length, symbol) = table.Find(Peek());
        if (length == 0) return -1;
        Skip(length);
        return symbol;
    }

    /// <summary>Drops the rest of a byte, which is filling.</summary>
    public void Align() => Skip(Math.Max(_buffered, 0) & 7);

    /// <summary>Whether all whole bytes are used.</summary>
    public readonly bool IsAtMarker => _buffered <= 0 && (_position >= _bytes.Length || IsMarker(_position));

    /// <summary>Moves past a restart marker with this number, and only past that.</summary>
    public bool SkipRestart(int number)
    {
        int at = _position;
        while (at + 1 < _bytes.Length && _bytes[at] == 0xFF && _bytes[at + 1] == 0xFF) at++;
        if (!IsAtMarker || at + 1 >= _bytes.Length || _bytes[at + 1] != 0xD0 + number) return false;
        (_position, _buffer, _buffered) = (at + 2, 0, 0);
        return true;
    }

    private uint Peek()
    {
        if (_buffered < 16) Fill();
        return (uint)(_buffer >> 48);
    }

    private void Fill()
    {
        while (_buffered is >= 0 and <= 56 && _position < _bytes.Length && !IsMarker(_position))
        {
            _buffer |= (ulong)_bytes[_position] << (56 - _buffered);
            _buffered += 8;
            _position += _bytes[_position] == 0xFF ? 2 : 1;  // FF 00 stands for FF
        }
    }

    private readonly bool IsMarker(int at) => _bytes[at] == 0xFF && (at + 1 >= _bytes.Length || _bytes[at + 1] != 0);
}
