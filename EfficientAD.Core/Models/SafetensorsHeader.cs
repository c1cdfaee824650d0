using System.Text.Json;

namespace EfficientAD.Models;

/// <summary>Where a tensor lies: <paramref name="Offset"/> counts bytes from the start of the data.</summary>
internal sealed record SafetensorsEntry(string Name, SafetensorsType Type, long[] Shape, long Offset, int Length);

/// <summary>
/// The JSON header of a safetensors file, read as untrusted: a flat object of tensors, each with dtype, shape and
/// data_offsets, and a <c>__metadata__</c> object of strings. Every extent, count and offset is checked before anything
/// is allocated for it, and the tensors must cover the data exactly, without hole, overlap or rest.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The reference implementation's limit.</summary>
    public const int MaximumLength = 100_000_000;

    public const string MetadataName = "__metadata__";

    private const int MaximumEntries = 100_000, MaximumRank = 16;

    private readonly string _file;
    private readonly long _dataLength;

    private SafetensorsHeader(string file, long dataLength) => (_file, _dataLength) = (file, dataLength);

    public Dictionary<string, string> Metadata { get; } = [];

    /// <summary>By name; enumerated in the order of the data.</summary>
    public OrderedDictionary<string, SafetensorsEntry> Entries { get; } = [];

    /// <param name="file">The file's name, for messages.</param>
    /// <param name="json">UTF-8.</param>
    /// <param name="dataLength">Bytes that follow the header.</param>
    /// <exception cref="ModelFormatException">Anything is wrong with the header.</exception>
    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> json, long dataLength)
    {
        var header = new SafetensorsHeader(file, dataLength);
        try
        {
            header.Read(new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 3 }));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a value of another kind than expected, or text that is not valid Unicode.
            throw new ModelFormatException(
                $"{file} is no safetensors file, or damaged: its header is not the expected JSON. {e.Message}", e);
        }
        return header;
    }

    /// <summary>A name from a file, safe to print: cut to a bearable length, control characters replaced.</summary>
    public static string Printable(string text) => string.Create(Math.Min(text.Length, 100), text, (span, source) =>
    {
        for (int i = 0; i < span.Length; i++) span[i] = char.IsControl(source[i]) ? '?' : source[i];
    });

    private void Read(Utf8JsonReader json)
    {
        var entries = new List<SafetensorsEntry>();
        var names = new HashSet<string>();
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject) throw Damaged("its header does not start with an object");
        while (ReadPropertyName(ref json, out string name))
        {
            if (!names.Add(name)) throw Damaged($"its header names '{Printable(name)}' twice");
            if (names.Count > MaximumEntries) throw Damaged($"it holds more than {MaximumEntries} tensors, the limit");
            if (name == MetadataName) ReadMetadata(ref json);
            else entries.Add(ReadEntry(ref json, name));
        }
        while (json.Read()) { }  // throws unless only white space follows

        long end = 0;
        foreach (var entry in entries.OrderBy(entry => entry.Offset).ThenBy(entry => entry.Length))
        {
            if (entry.Offset != end)
            {
                throw Damaged($"tensor '{Printable(entry.Name)}' starts at byte {entry.Offset} of the data " +
                    $"but the one before ends at {end}");
            }
            Entries.Add(entry.Name, entry);
            end += entry.Length;
        }
        if (end != _dataLength)
            throw Damaged($"its tensors end at byte {end} of the data but {_dataLength} bytes follow the header");
    }

    private void ReadMetadata(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject) throw Damaged($"'{MetadataName}' is not an object");
        while (ReadPropertyName(ref json, out string key))
        {
            json.Read();
            if (json.TokenType != JsonTokenType.String) throw Damaged($"metadata '{Printable(key)}' is not a string");
            if (!Metadata.TryAdd(key, json.GetString()!)) throw Damaged($"metadata '{Printable(key)}' appears twice");
            if (Metadata.Count > MaximumEntries)
                throw Damaged($"it holds more than {MaximumEntries} metadata entries, the limit");
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader json, string name)
    {
        string tensor = $"tensor '{Printable(name)}'";
        string? type = null;
        long[]? shape = null, offsets = null;
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject) throw Damaged($"{tensor} is not described by an object");
        while (ReadPropertyName(ref json, out string key))
        {
            json.Read();
            if (key == "dtype" && type is null) type = json.GetString() ?? "null";
            else if (key == "shape" && shape is null) shape = ReadNumbers(ref json, $"the shape of {tensor}");
            else if (key == "data_offsets" && offsets is null) offsets = ReadNumbers(ref json, $"{key} of {tensor}");
            else throw Damaged($"{tensor} has an unknown or repeated property '{Printable(key)}'");
        }
        if (type is null || shape is null || offsets is null)
            throw Damaged($"{tensor} lacks dtype, shape or data_offsets");
        return Check(name, type, shape, offsets);
    }

    private SafetensorsEntry Check(string name, string typeName, long[] shape, long[] offsets)
    {
        string tensor = $"tensor '{Printable(name)}'";
        if (!SafetensorsTypes.TryParse(typeName, out var type))
            throw Damaged($"{tensor} has the dtype '{Printable(typeName)}', which is not supported");
        if (offsets.Length != 2 || offsets[0] > offsets[1] || offsets[1] > _dataLength)
        {
            throw Damaged($"data_offsets of {tensor} are [{string.Join(", ", offsets)}] " +
                $"but the data have {_dataLength} bytes");
        }

        tensor += $", {type} [{string.Join(", ", shape)}],";
        long length = shape.Contains(0) ? 0 : type.Size();
        foreach (long extent in shape)
        {
            // Refused before the product can overflow.
            if (length > 0 && extent > int.MaxValue / length)
                throw Damaged($"{tensor} takes more than 2 GB, the limit");
            length *= extent;
        }
        long given = offsets[1] - offsets[0];
        if (length != given) throw Damaged($"{tensor} takes {length} bytes but data_offsets give it {given}");
        return new SafetensorsEntry(name, type, shape, offsets[0], (int)length);
    }

    private long[] ReadNumbers(ref Utf8JsonReader json, string what)
    {
        if (json.TokenType != JsonTokenType.StartArray) throw Damaged($"{what} is not an array");
        var numbers = new List<long>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            long number = -1;
            bool isInteger = json.TokenType == JsonTokenType.Number && json.TryGetInt64(out number);
            if (!isInteger || number < 0 || numbers.Count == MaximumRank)
                throw Damaged($"{what} is not a list of at most {MaximumRank} non-negative integers");
            numbers.Add(number);
        }
        return [.. numbers];
    }

    /// <summary>Steps to the next property of the current object; false at its end.</summary>
    private static bool ReadPropertyName(ref Utf8JsonReader json, out string name)
    {
        json.Read();
        bool isProperty = json.TokenType == JsonTokenType.PropertyName;
        name = isProperty ? json.GetString()! : "";
        return isProperty;
    }

    private ModelFormatException Damaged(string what) => new($"{_file} is no safetensors file, or damaged: {what}.");
}
