using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using EfficientAD.Models.Torch;

namespace EfficientAD.Models.Archives;

/// <summary>Arrays that numpy.savez wrote: a zip archive with one .npy file each.</summary>
internal sealed partial class NpzFile : IDisposable
{
    private const string Extension = ".npy";
    private const int PreambleLength = 10, MaximumHeader = 1 << 16, MaximumRank = 16;

    private readonly MappedFile _file;
    private readonly StoredZip _zip;
    private readonly Dictionary<string, WeightTensor> _arrays = [];

    /// <param name="file">Owned by this from now on, whether opening succeeds or not.</param>
    /// <exception cref="ModelFormatException">The archive is damaged, or an array is of a kind that is not
    /// read.</exception>
    public NpzFile(string name, MappedFile file)
    {
        (Name, _file) = (name, file);
        try
        {
            _zip = new StoredZip(name, file);
            foreach (string entry in _zip.Names)
                if (entry.EndsWith(Extension, StringComparison.Ordinal)) Add(entry);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public string Name { get; }

    public IReadOnlyDictionary<string, WeightTensor> Arrays => _arrays;

    public void Dispose() => _file.Dispose();

    private void Add(string entry)
    {
        ReadOnlySpan<byte> bytes = _zip.Read(entry, int.MaxValue);
        if (bytes.Length < PreambleLength || bytes[0] != 0x93 || !bytes[1..].StartsWith("NUMPY"u8))
            throw Damaged(entry, "it has no NumPy header");
        bool isFirstVersion = bytes[6] == 1;
        int start = isFirstVersion ? PreambleLength : PreambleLength + 2;
        long headerLength = isFirstVersion ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..])
            : bytes.Length >= start ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) : long.MaxValue;
        if (headerLength > MaximumHeader || headerLength > bytes.Length - start)
            throw Damaged(entry, $"its header would take {headerLength} bytes");
        int data = start + (int)headerLength;
        TorchTensor view = View(entry, Encoding.Latin1.GetString(bytes[start..data]), bytes.Length - data);
        string name = entry[..^Extension.Length];
        _arrays[name] = new WeightTensor(name, view.Shape, destination =>
        {
            if (destination.Length != view.Count)
            {
                throw new ArgumentException(
                    $"Array '{name}' has {view.Count} values but the destination holds {destination.Length}.",
                    nameof(destination));
            }

            view.ReadFloats(_zip.Read(entry, int.MaxValue)[data..], destination);
        });
    }

    private TorchTensor View(string entry, string header, int length)
    {
        Match match = Header().Match(header);
        if (!match.Success) throw Damaged(entry, $"its header is not NumPy's: {SafetensorsHeader.Printable(header)}");
        string[] extents = match.Groups["shape"].Value.Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (extents.Length > MaximumRank) throw Damaged(entry, $"it has {extents.Length} dimensions");
        var shape = new long[extents.Length];
        for (int i = 0; i < shape.Length; i++)
            if (!long.TryParse(extents[i], NumberStyles.None, CultureInfo.InvariantCulture, out shape[i]))
                throw Damaged(entry, "its shape is no list of numbers");

        string type = match.Groups["type"].Value;
        SafetensorsType kind = type switch
        {
            "<f4" => SafetensorsType.F32,
            "<f8" => SafetensorsType.F64,
            "<f2" => SafetensorsType.F16,
            _ => throw new ModelFormatException(
                $"{Name}: array '{SafetensorsHeader.Printable(entry)}' " +
                $"is of type {SafetensorsHeader.Printable(type)}; " +
                "little-endian float16, float32 and float64 can be read."),
        };
        var strides = new long[shape.Length];
        bool isColumnMajor = match.Groups["order"].Value == "True";
        Int128 stride = 1;
        for (int i = 0; i < shape.Length; i++)
        {
            int axis = isColumnMajor ? i : shape.Length - 1 - i;
            strides[axis] = (long)Int128.Min(stride, long.MaxValue);
            stride *= Math.Min(shape[axis], int.MaxValue);
            if (stride > int.MaxValue) throw Damaged(entry, "it has more than 2^31 - 1 values, the limit");
        }

        try
        {
            return TorchTensor.Create(new TorchStorage(entry, kind, type, 0, length / kind.Size()), 0, shape, strides);
        }
        catch (ModelFormatException e)
        {
            throw Damaged(entry, $"it {e.Message}");
        }
    }

    private ModelFormatException Damaged(string entry, string what) =>
        new($"{Name}: array '{SafetensorsHeader.Printable(entry)}' is damaged: {what}. Write the file again.");

    /// <summary>As numpy.lib.format writes it, keys in this order.</summary>
    [GeneratedRegex(
        @"^\{'descr': '(?<type>[^']{1,16})', 'fortran_order': (?<order>True|False), " +
        @"'shape': \((?<shape>[0-9, ]*)\), \}\s*$")]
    private static partial Regex Header();
}
