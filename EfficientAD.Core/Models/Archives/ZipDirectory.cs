using System.Buffers.Binary;
using System.Text;

namespace EfficientAD.Models.Archives;

/// <summary>One file in an archive.</summary>
/// <param name="Header">Where its local header begins.</param>
/// <param name="Length">Bytes as they lie in the archive.</param>
/// <param name="Unpacked">Bytes once unpacked.</param>
/// <param name="Method">0 stored, 8 deflated.</param>
internal sealed record ZipEntry(
    string Name, long Header, long Length, long Unpacked, int Method, bool IsEncrypted, uint Checksum);

/// <summary>The table of contents of a zip archive, read as untrusted: every length and offset is checked against the
/// file, and no two entries may share bytes, so that nothing can be larger than the file itself.</summary>
internal sealed class ZipDirectory
{
    private const uint EndSignature = 0x06054b50, Zip64EndSignature = 0x06064b50, Zip64LocatorSignature = 0x07064b50;
    private const uint EntrySignature = 0x02014b50, LocalSignature = 0x04034b50;
    private const int EndLength = 22, LocatorLength = 20, Zip64EndLength = 56, EntryLength = 46, LocalLength = 30;
    private const int MaximumComment = ushort.MaxValue, MaximumEntries = 100_000, MaximumDirectory = 64 << 20;
    private const int Zip64Extra = 1, EncryptedFlag = 1;

    private readonly string _file;
    private readonly MappedFile _archive;
    private readonly Dictionary<string, ZipEntry> _entries = [];
    private readonly List<string> _names = [];

    /// <exception cref="ModelFormatException">The archive is damaged, cut off or hostile.</exception>
    public ZipDirectory(string file, MappedFile archive)
    {
        (_file, _archive) = (file, archive);
        (long start, long length, long count) = FindDirectory();
        if (length > MaximumDirectory || count > MaximumEntries)
            throw Damaged(
                $"its directory has {count} entries in {length} bytes; " +
                $"the limits are {MaximumEntries} and {MaximumDirectory}");
        if (start < 0 || length < 0 || start > archive.Length - length)
            throw Damaged("its directory lies outside the file");
        ReadEntries(archive.Slice(start, (int)length), (int)count);
        RefuseOverlaps(start);
    }

    /// <summary>In the order of the directory.</summary>
    public IReadOnlyList<string> Names => _names;

    public bool TryGet(string name, out ZipEntry? entry) => _entries.TryGetValue(name, out entry);

    /// <summary>Where the content of a stored entry begins in the file.</summary>
    /// <exception cref="ModelFormatException">It is compressed or encrypted, or its two headers disagree.</exception>
    public long ContentOf(ZipEntry entry)
    {
        string name = SafetensorsHeader.Printable(entry.Name);
        if (entry.IsEncrypted) throw new ModelFormatException($"{_file} is encrypted. Unpack it first.");
        if (entry.Method != 0 || entry.Length != entry.Unpacked)
        {
            throw new ModelFormatException(
                $"{_file}: '{name}' is compressed ({entry.Length} bytes for {entry.Unpacked}), " +
                "which torch.save and numpy.savez never do. " +
                "Unpack the archive first, or write it again without compression.");
        }

        ReadOnlySpan<byte> local = _archive.Slice(entry.Header, LocalLength);
        (int nameLength, int extraLength) = LengthsIn(local);
        long content = entry.Header + LocalLength + nameLength + extraLength;
        bool fits = BinaryPrimitives.ReadUInt32LittleEndian(local) == LocalSignature
            && BinaryPrimitives.ReadUInt16LittleEndian(local[8..]) == 0
            && content <= _archive.Length - entry.Length
            && Encoding.UTF8.GetString(_archive.Slice(entry.Header + LocalLength, nameLength)) == entry.Name;
        return fits ? content : throw Damaged($"the header of '{name}' does not agree with the directory");
    }

    /// <summary>Of the name and the extra field in a local header, which lie between it and the content.</summary>
    private static (int Name, int Extra) LengthsIn(ReadOnlySpan<byte> local) =>
        (BinaryPrimitives.ReadUInt16LittleEndian(local[26..]), BinaryPrimitives.ReadUInt16LittleEndian(local[28..]));

    private (long Start, long Length, long Count) FindDirectory()
    {
        int tailLength = (int)Math.Min(_archive.Length, EndLength + MaximumComment);
        ReadOnlySpan<byte> tail = _archive.Slice(_archive.Length - tailLength, tailLength);
        int at = tailLength - EndLength;
        while (at >= 0 && BinaryPrimitives.ReadUInt32LittleEndian(tail[at..]) != EndSignature) at--;
        if (at < 0) throw Damaged("its directory is missing; the file is cut off or still being written");
        ReadOnlySpan<byte> end = tail[at..];
        long count = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]);
        long length = BinaryPrimitives.ReadUInt32LittleEndian(end[12..]);
        long start = BinaryPrimitives.ReadUInt32LittleEndian(end[16..]);
        if (count != ushort.MaxValue && length != uint.MaxValue && start != uint.MaxValue)
            return (start, length, count);

        long locatorAt = _archive.Length - tailLength + at - LocatorLength;
        if (locatorAt < 0) throw Damaged("its zip64 directory is missing");
        ReadOnlySpan<byte> locator = _archive.Slice(locatorAt, LocatorLength);
        long recordAt = BinaryPrimitives.ReadInt64LittleEndian(locator[8..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(locator) != Zip64LocatorSignature || recordAt < 0
            || recordAt > _archive.Length - Zip64EndLength)
            throw Damaged("its zip64 directory is missing");
        ReadOnlySpan<byte> record = _archive.Slice(recordAt, Zip64EndLength);
        if (BinaryPrimitives.ReadUInt32LittleEndian(record) != Zip64EndSignature)
            throw Damaged("its zip64 directory is missing");
        return (
            BinaryPrimitives.ReadInt64LittleEndian(record[48..]),
            BinaryPrimitives.ReadInt64LittleEndian(record[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(record[32..]));
    }

    private void ReadEntries(ReadOnlySpan<byte> directory, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (directory.Length < EntryLength || BinaryPrimitives.ReadUInt32LittleEndian(directory) != EntrySignature)
                throw Damaged($"entry {i} of its directory is none");
            int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(directory[28..]);
            int extraLength = BinaryPrimitives.ReadUInt16LittleEndian(directory[30..]);
            int commentLength = BinaryPrimitives.ReadUInt16LittleEndian(directory[32..]);
            int length = EntryLength + nameLength + extraLength + commentLength;
            if (length > directory.Length) throw Damaged($"entry {i} of its directory is cut off");
            string name = Encoding.UTF8.GetString(directory.Slice(EntryLength, nameLength));
            ZipEntry entry = ReadEntry(name, directory, directory.Slice(EntryLength + nameLength, extraLength));
            if (!_entries.TryAdd(name, entry)) throw Damaged($"it holds '{SafetensorsHeader.Printable(name)}' twice");
            _names.Add(name);
            directory = directory[length..];
        }
    }

    private ZipEntry ReadEntry(string name, ReadOnlySpan<byte> fields, ReadOnlySpan<byte> extra)
    {
        long length = BinaryPrimitives.ReadUInt32LittleEndian(fields[20..]);
        long unpacked = BinaryPrimitives.ReadUInt32LittleEndian(fields[24..]);
        long header = BinaryPrimitives.ReadUInt32LittleEndian(fields[42..]);
        ReadOnlySpan<byte> large = FindExtra(extra);
        // In this order, and only those that did not fit into 32 bits.
        if (unpacked == uint.MaxValue) unpacked = Large(name, ref large);
        if (length == uint.MaxValue) length = Large(name, ref large);
        if (header == uint.MaxValue) header = Large(name, ref large);
        if (length < 0 || header < 0 || header > _archive.Length - LocalLength - length)
            throw Damaged(
                $"'{SafetensorsHeader.Printable(name)}' would take {length} bytes " +
                $"from byte {header} on, but the file has {_archive.Length}");
        int flags = BinaryPrimitives.ReadUInt16LittleEndian(fields[8..]);
        int method = BinaryPrimitives.ReadUInt16LittleEndian(fields[10..]);
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(fields[16..]);
        return new ZipEntry(name, header, length, unpacked, method, (flags & EncryptedFlag) != 0, checksum);
    }

    private static ReadOnlySpan<byte> FindExtra(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            int id = BinaryPrimitives.ReadUInt16LittleEndian(extra);
            int length = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (length > extra.Length - 4) return [];
            if (id == Zip64Extra) return extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }

        return [];
    }

    private long Large(string name, ref ReadOnlySpan<byte> values)
    {
        if (values.Length < 8) throw Damaged($"the size of '{SafetensorsHeader.Printable(name)}' is missing");
        long value = BinaryPrimitives.ReadInt64LittleEndian(values);
        values = values[8..];
        return value;
    }

    private void RefuseOverlaps(long directoryStart)
    {
        ZipEntry? previous = null;
        long end = 0;
        foreach (ZipEntry entry in _entries.Values.OrderBy(entry => entry.Header))
        {
            if (entry.Header < end)
            {
                throw Damaged(
                    $"'{SafetensorsHeader.Printable(entry.Name)}' and " +
                    $"'{SafetensorsHeader.Printable(previous!.Name)}' share bytes");
            }

            // Where the entry really lies: its local header may have another extra field than the directory.
            (int nameLength, int extraLength) = LengthsIn(_archive.Slice(entry.Header, LocalLength));
            end = entry.Header + LocalLength + nameLength + extraLength + entry.Length;
            previous = entry;
        }

        if (end > directoryStart)
            throw Damaged($"'{SafetensorsHeader.Printable(previous!.Name)}' reaches into the directory");
    }

    private ModelFormatException Damaged(string what) =>
        new($"{_file} is a damaged zip archive: {what}. Get the file again.");
}
