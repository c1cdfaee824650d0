namespace EfficientAD.Imaging;

/// <summary>PGM and PPM, as text (P2, P3) and binary (P5, P6), of 8 and 16 bits; one picture a file.</summary>
internal ref struct NetpbmReader
{
    private readonly ImageFile _file;
    private readonly ReadOnlySpan<byte> _bytes;
    private int _at;

    private NetpbmReader(ImageFile file)
    {
        _file = file;
        _bytes = file.Bytes;
        _at = 2;
    }

    public static RgbImage Read(ImageFile file) => new NetpbmReader(file).Read();

    private RgbImage Read()
    {
        char kind = (char)_bytes[1];
        bool text = kind is '2' or '3', grey = kind is '2' or '5';
        int width = ReadNumber(int.MaxValue), height = ReadNumber(int.MaxValue);
        _file.CheckSize(width, height);
        int maximum = ReadNumber(ushort.MaxValue);
        if (maximum == 0) throw _file.Damaged($"the largest sample value is 0");
        int bytesPerSample = text ? 0 : maximum > 255 ? 2 : 1;
        long samples = (long)width * height * (grey ? 1 : 3);
        // As text a sample takes a digit and a blank at least: what is too short is refused before memory is taken.
        long needed = samples * (text ? 2 : bytesPerSample);
        if (needed > _bytes.Length - _at) throw _file.Cut("the pixels", _at, needed);

        var image = new RgbImage(width, height);
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            byte value = _file.Scale(text ? ReadNumber(maximum) : ReadSample(bytesPerSample, maximum), maximum);
            image.Pixels[i] = value;
            if (grey) image.Pixels[++i] = image.Pixels[++i] = value;
        }
        return image;
    }

    private int ReadSample(int bytes, int maximum)
    {
        int value = bytes == 1 ? _bytes[_at] : _bytes[_at] << 8 | _bytes[_at + 1];
        _at += bytes;
        return value <= maximum ? value : throw TooLarge(value, maximum);
    }

    /// <summary>Reads a number and the one blank behind it, without which the number may have been cut.</summary>
    private int ReadNumber(int maximum)
    {
        SkipBlanks();
        long value = 0;
        int start = _at;
        for (; _at < _bytes.Length && char.IsAsciiDigit((char)_bytes[_at]); _at++)
        {
            value = 10 * value + (_bytes[_at] - '0');
            if (value > maximum) throw TooLarge(value, maximum);
        }
        if (_at == _bytes.Length)
            throw _file.Damaged($"the file is cut: it ends at byte {_at} where a number and a blank are due");
        if (_at == start || !IsBlank(_bytes[_at]))
            throw _file.Damaged($"no number at byte {start} but {_bytes[_at]:x2}");
        _at++;
        return (int)value;
    }

    /// <summary>Skips blanks and comments, which go from # to the end of the line.</summary>
    private void SkipBlanks()
    {
        bool comment = false;
        for (; _at < _bytes.Length; _at++)
        {
            if (_bytes[_at] == '#') comment = true;
            else if (_bytes[_at] is (byte)'\n' or (byte)'\r') comment = false;
            else if (!comment && !IsBlank(_bytes[_at])) return;
        }
    }

    private static bool IsBlank(byte value) => value is (byte)' ' or (>= 9 and <= 13);

    private readonly ImageFormatException TooLarge(long value, int maximum) =>
        _file.Damaged($"the number {value} before byte {_at} is above {maximum}");
}
