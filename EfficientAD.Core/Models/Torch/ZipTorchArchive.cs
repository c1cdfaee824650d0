using EfficientAD.Models.Archives;

namespace EfficientAD.Models.Torch;

/// <summary>The zip format: NAME/data.pkl describes what was saved, NAME/data/KEY holds the values of storage
/// KEY.</summary>
internal sealed class ZipTorchArchive : TorchFile.IStorages
{
    private const string PickleName = "data.pkl";
    private const long MaximumCount = long.MaxValue / 16;  // so that bytes can be counted

    private readonly string _file, _folder;
    private readonly StoredZip _zip;

    /// <exception cref="ModelFormatException">This is another kind of zip archive.</exception>
    public ZipTorchArchive(string file, StoredZip zip)
    {
        (_file, _zip) = (file, zip);
        string? pickle = zip.Names.FirstOrDefault(
            name => Depth(name) == 1 && name.EndsWith($"/{PickleName}", StringComparison.Ordinal));
        if (pickle is null) throw Unknown();
        _folder = pickle[..^PickleName.Length];
        if (zip.Names.Contains($"{_folder}constants.pkl"))
        {
            throw new ModelFormatException(
                $"{file} is TorchScript, a program. Save the model's weights instead: " +
                "torch.save(model.state_dict(), \"weights.pth\").");
        }

        if (zip.Length($"{_folder}byteorder") is <= 16
            && !zip.Read($"{_folder}byteorder", 16).SequenceEqual("little"u8))
            throw new ModelFormatException(
                $"{file} was written on a big-endian machine. Save it again on a little-endian one.");
    }

    public object? ReadRoot() =>
        new PickleReader(_file, _zip.Read(_folder + PickleName, TorchFile.MaximumPickle), Resolve).Read();

    public ReadOnlySpan<byte> Read(TorchStorage storage)
    {
        ReadOnlySpan<byte> bytes = _zip.Read($"{_folder}data/{storage.Key}", int.MaxValue);
        long needed = storage.Count * storage.Type?.Size() ?? 1;
        return bytes.Length >= needed
            ? bytes
            : throw new ModelFormatException(
                $"needs {needed} bytes of storage '{SafetensorsHeader.Printable(storage.Key)}', which has " +
                $"{bytes.Length}");
    }

    /// <summary>("storage", class, key, device, number of values)</summary>
    private object? Resolve(object? id)
    {
        if (id is PickleTuple { Items: ["storage", PickleGlobal type, string key, string, long count, ..] }
            && count is >= 0 and <= MaximumCount)
            return new TorchStorage(key, TorchStorage.TypeOf(type.Name), type.Name, 0, count);
        throw new ModelFormatException(
            $"{_file} refers to something outside its pickle that is no storage. The file is damaged or hostile.");
    }

    private ModelFormatException Unknown()
    {
        string? inner = _zip.Names.FirstOrDefault(
            name => Path.GetExtension(name) is ".pth" or ".pt" or ".ckpt" or ".safetensors" or ".onnx");
        return new ModelFormatException(inner is null
            ? $"{_file} is a zip archive but not one written by torch.save: it has no {PickleName}."
            : $"{_file} is an archive that holds {SafetensorsHeader.Printable(inner)}. " +
                "Unpack it, then name that file.");
    }

    private static int Depth(string name) => name.Count(c => c == '/');
}
