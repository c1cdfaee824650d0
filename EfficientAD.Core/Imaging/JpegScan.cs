namespace EfficientAD.Imaging;

/// <summary>Reads a scan's Huffman codes without keeping the values, to see that all blocks of the picture are there: a
/// decoder would fill what is missing with grey.</summary>
internal sealed class JpegScan
{
    private readonly ImageFile _file;
    private readonly JpegFrame _frame;
    private readonly List<(JpegFrame.Component Component, JpegHuffmanTable? Dc, JpegHuffmanTable? Ac)> _components = [];
    private readonly int _restartInterval;
    private readonly int _first, _last, _high, _low;  // frequencies, and their bits before and after this scan
    private int _blocksToSkip;

    public JpegScan(
        ImageFile file, JpegFrame frame, ReadOnlySpan<byte> header,
        JpegHuffmanTable?[] dcTables, JpegHuffmanTable?[] acTables, int restartInterval)
    {
        (_file, _frame, _restartInterval) = (file, frame, restartInterval);
        ReadOnlySpan<byte> parameters = header[^3..];
        (_first, _last, _high, _low) = frame.Progressive
            ? (parameters[0], parameters[1], parameters[2] >> 4, parameters[2] & 15)
            : (0, 63, 0, 0);
        int count = header[0];
        bool valid = count is 1 or 3 or 2 && count <= frame.Components.Count && _last <= 63 && _first <= _last;
        if (frame.Progressive)
            valid &= (_first == 0 ? _last == 0 : count == 1) && _low <= 13 && (_high == 0 || _high == _low + 1);
        if (!valid) throw Damaged("its header");

        for (int i = 0; i < count; i++)
        {
            int id = header[1 + 2 * i], tables = header[2 + 2 * i];
            JpegFrame.Component component = frame.Components.FirstOrDefault(c => c.Id == id)
                ?? throw Damaged($"component {id}");
            if ((tables & 0xCC) != 0 || _components.Any(c => c.Component.Id == id)) throw Damaged($"component {id}");
            _components.Add((component, dcTables[tables >> 4], acTables[tables & 3]));
            RecordProgress(component);
        }
    }

    private bool IsRefinement => _high > 0;

    /// <param name="start">Where the scan's data begin.</param>
    /// <returns>Where the marker behind them is.</returns>
    public int Check(int start)
    {
        var bits = new JpegBits(_file.Bytes, start);
        bool interleaved = _components.Count > 1;
        JpegFrame.Component alone = _components[0].Component;
        int unitsX = interleaved ? _frame.UnitsX : alone.BlocksX, unitsY = interleaved ? _frame.UnitsY : alone.BlocksY;
        int units = unitsX * unitsY;
        for (int unit = 0; unit < units; unit++)
        {
            if (_restartInterval > 0 && unit > 0 && unit % _restartInterval == 0) Restart(ref bits, unit);
            int x = unit % unitsX, y = unit / unitsX;
            foreach (var (component, dc, ac) in _components)
            {
                int across = interleaved ? component.H : 1, down = interleaved ? component.V : 1;
                for (int v = 0; v < down; v++)
                    for (int h = 0; h < across; h++)
                        CheckBlock(ref bits, component, dc, ac, (y * down + v) * component.Stride + x * across + h);
            }
            if (bits.Overrun)
                throw _file.Damaged($"the file is cut: the scan at byte {start} ends after {unit} of {units} units");
        }
        bits.Align();
        if (!bits.IsAtMarker) throw _file.Damaged($"the scan at byte {start} goes on after its last block");
        return bits.Position;
    }

    private void Restart(ref JpegBits bits, int unit)
    {
        int number = (unit / _restartInterval - 1) % 8;
        bits.Align();
        if (!bits.SkipRestart(number)) throw Damaged($"restart marker {number} before unit {unit}");
        _blocksToSkip = 0;
    }

    private void CheckBlock(
        ref JpegBits bits, JpegFrame.Component component, JpegHuffmanTable? dc, JpegHuffmanTable? ac, int block)
    {
        if (!_frame.Progressive)
        {
            CheckDc(ref bits, dc);
            ulong unused = 0;
            CheckFirst(ref bits, ac, 1, ref unused);
        }
        else if (_first == 0 && IsRefinement) bits.Skip(1);
        else if (_first == 0) CheckDc(ref bits, dc);
        else if (IsRefinement) CheckRefinement(ref bits, ac, ref component.NonZero[block]);
        else CheckFirst(ref bits, ac, _first, ref component.NonZero[block]);
    }

    private void CheckDc(ref JpegBits bits, JpegHuffmanTable? dc)
    {
        int size = bits.Read(dc ?? throw Damaged("a Huffman table"));
        if (size is < 0 or > 11) throw Damaged("a code");
        bits.Skip(size);
    }

    private void CheckFirst(ref JpegBits bits, JpegHuffmanTable? ac, int first, ref ulong nonZero)
    {
        if (_blocksToSkip > 0)
        {
            _blocksToSkip--;
            return;
        }
        for (int k = first; k <= _last; k++)
        {
            var (run, size) = ReadRun(ref bits, ac);
            if (size == 0 && run < 15)
            {
                if (_frame.Progressive) _blocksToSkip = (1 << run) - 1 + bits.Read(run);
                else if (run != 0) throw Damaged("a code");
                return;
            }
            k += run;
            if (k > _last && size > 0) throw Damaged("a code");
            bits.Skip(size);
            if (size > 0) nonZero |= 1UL << k;
        }
    }

    /// <summary>One more bit: for each value that was not zero, and new values of one unit in between.</summary>
    private void CheckRefinement(ref JpegBits bits, JpegHuffmanTable? ac, ref ulong nonZero)
    {
        int k = _first;
        for (; _blocksToSkip == 0 && k <= _last; k++)
        {
            var (run, size) = ReadRun(ref bits, ac);
            if (size > 1) throw Damaged("a code");
            if (size == 0 && run < 15)
            {
                _blocksToSkip = (1 << run) + bits.Read(run);
                break;
            }
            bits.Skip(size);
            for (; k <= _last; k++)
            {
                if ((nonZero >> k & 1) != 0) bits.Skip(1);
                else if (run-- == 0) break;
            }
            if (k > _last && size > 0) throw Damaged("a code");
            if (size > 0) nonZero |= 1UL << k;
        }
        if (_blocksToSkip == 0) return;
        for (; k <= _last; k++) bits.Skip((int)(nonZero >> k & 1));
        _blocksToSkip--;
    }

    private (int Run, int Size) ReadRun(ref JpegBits bits, JpegHuffmanTable? ac)
    {
        int symbol = bits.Read(ac ?? throw Damaged("a Huffman table"));
        return symbol >= 0 ? (symbol >> 4, symbol & 15) : throw Damaged("a code");
    }

    /// <summary>Every scan must bring something new, so that their number is bounded and none is a decoy.</summary>
    private void RecordProgress(JpegFrame.Component component)
    {
        for (int k = _first; k <= _last; k++)
        {
            if (component.MissingBits[k] != (IsRefinement ? _high : JpegFrame.Component.Unseen))
                throw Damaged("the order of scans");
            component.MissingBits[k] = (byte)_low;
        }
    }

    private ImageFormatException Damaged(string what) => _file.Damaged($"a JPEG scan is damaged ({what})");
}
