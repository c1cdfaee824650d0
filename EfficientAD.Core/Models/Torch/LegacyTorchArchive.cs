using System.Buffers.Binary;
using System.Numerics;

namespace EfficientAD.Models.Torch;

/// <summary>The format before PyTorch 1.6: a magic number, a version, the machine, what was saved and the storages'
/// keys, each as a pickle; then the storages in the order of the keys, each as a count of 8 bytes and its
/// values.</summary>
internal sealed class LegacyTorchArchive : TorchFile.IStorages
{
    private const long Version = 1001;
    private const int CountBytes = 8, MaximumStorages = 100_000;

    // 0x1950a86a20f9469cfc6c
    private static readonly BigInteger MagicNumber = BigInteger.Parse("119547037146038801333356");

    private readonly string _file;
    private readonly MappedFile _bytes;
    private readonly Dictionary<string, TorchStorage> _known = [];
    private readonly Dictionary<string, (long Start, long Length)> _places = [];
    private long _position;

    /// <exception cref="ModelFormatException">This is another kind of pickle, damaged or hostile.</exception>
    public LegacyTorchArchive(string file, MappedFile bytes)
    {
        (_file, _bytes) = (file, bytes);
        if (ReadPickle() is not BigInteger magic || magic != MagicNumber)
        {
            throw new ModelFormatException(
                $"{file} is a pickle, but not one written by torch.save. Save the model's weights: " +
                "torch.save(model.state_dict(), \"weights.pth\").");
        }

        if (ReadPickle() is not Version) throw Damaged($"its version is not {Version}");
        if (ReadPickle() is not PickleDictionary machine || machine.Get("little_endian") is false)
            throw new ModelFormatException(
                $"{file} was written on a big-endian machine. Save it again on a little-endian one.");
        Root = ReadPickle();
        if (ReadPickle() is not List<object?> keys || keys.Count > MaximumStorages)
            throw Damaged("its list of storages is missing or too long");
        foreach (object? key in keys) Place(key);
    }

    public object? Root { get; }

    public ReadOnlySpan<byte> Read(TorchStorage storage)
    {
        if (storage.Type is not { } type)
            throw new ModelFormatException($"holds values of {storage.TypeName}, which cannot be read");
        if (!_places.TryGetValue(storage.Key, out (long Start, long Length) place))
            throw new ModelFormatException(
                $"refers to storage '{SafetensorsHeader.Printable(storage.Key)}', which is missing");
        long skipped = storage.Start * type.Size(), length = storage.Count * type.Size();
        if (length > int.MaxValue)
            throw new ModelFormatException($"lies in a storage of {length} bytes; the limit is {int.MaxValue}");
        return skipped + length <= place.Length
            ? _bytes.Slice(place.Start + skipped, (int)length)
            : throw new ModelFormatException(
                $"needs {skipped + length} bytes of storage '{SafetensorsHeader.Printable(storage.Key)}', which has " +
                $"{place.Length}");
    }

    private object? ReadPickle()
    {
        int length = (int)Math.Min(_bytes.Length - _position, TorchFile.MaximumPickle);
        var reader = new PickleReader(_file, _bytes.Slice(_position, length), Resolve);
        object? value = reader.Read();
        _position += reader.Position;
        return value;
    }

    /// <summary>("storage", class, key, device, number of values, null or (key, first value, number of values)), or
    /// ("module", class, file, source code).</summary>
    private object? Resolve(object? id)
    {
        if (id is PickleTuple { Items: ["module", PickleGlobal module, ..] }) return module;
        if (id is not PickleTuple { Items: ["storage", PickleGlobal type, string key, string, long count, .. var view] }
            || count is < 0 or > long.MaxValue / 16)
            throw new ModelFormatException(
                $"{_file} refers to something outside its pickle that is no storage. The file is damaged or hostile.");
        var whole = new TorchStorage(key, TorchStorage.TypeOf(type.Name), type.Name, 0, count);
        if (!_known.TryAdd(key, whole) && _known[key] != whole)
            throw Damaged($"it describes storage '{SafetensorsHeader.Printable(key)}' in two ways");
        if (view is not [PickleTuple { Items: [_, long first, long part] }]) return whole;
        return first >= 0 && part >= 0 && first <= count - part
            ? whole with { Start = first, Count = part }
            : throw Damaged("a part of a storage exceeds it");
    }

    private void Place(object? name)
    {
        if (name is not string key || !_known.TryGetValue(key, out TorchStorage? storage))
            throw Damaged("it lists a storage that nothing refers to");
        if (_position > _bytes.Length - CountBytes) throw Damaged("it ends before its storages");
        long count = BinaryPrimitives.ReadInt64LittleEndian(_bytes.Slice(_position, CountBytes));
        _position += CountBytes;
        if (storage.Type is not { } type) throw Damaged($"it holds a {storage.TypeName}, whose size is not known");
        if (count != storage.Count || count > (_bytes.Length - _position) / type.Size())
            throw Damaged(
                $"storage '{SafetensorsHeader.Printable(key)}' has {count} values where " +
                $"{storage.Count} are announced and {_bytes.Length - _position} bytes are left");
        long length = count * type.Size();
        if (!_places.TryAdd(key, (_position, length)))
            throw Damaged($"it holds storage '{SafetensorsHeader.Printable(key)}' twice");
        _position += length;
    }

    private ModelFormatException Damaged(string what) =>
        new($"{_file} is a damaged PyTorch file: {what}. Get the file again.");
}
