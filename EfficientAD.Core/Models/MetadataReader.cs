using System.Globalization;

namespace EfficientAD.Models;

/// <summary>Typed, checked access to a file's metadata.</summary>
internal readonly struct MetadataReader(string file, IReadOnlyDictionary<string, string> metadata)
{
    public string Text(string key) => metadata.TryGetValue(key, out string? value)
        ? value
        : throw new ModelFormatException(
            $"{file} has no metadata '{key}'. Is it a model written by efficientad train?");

    public int Integer(string key, int minimum, int maximum) =>
        int.TryParse(Text(key), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
        && value >= minimum && value <= maximum
            ? value
            : throw Refuse(key, $"a whole number from {minimum} to {maximum}");

    public ulong Unsigned(string key) =>
        ulong.TryParse(Text(key), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            ? value
            : throw Refuse(key, "a whole number");

    public float Number(string key) =>
        float.TryParse(Text(key), NumberStyles.Float, CultureInfo.InvariantCulture, out float value)
        && float.IsFinite(value)
            ? value
            : throw Refuse(key, "a finite number");

    public TEnum Name<TEnum>(string key) where TEnum : struct, Enum =>
        Enum.TryParse(Text(key), ignoreCase: false, out TEnum value) && Enum.IsDefined(value)
            ? value
            : throw Refuse(key, $"one of {string.Join(", ", Enum.GetNames<TEnum>())}");

    private ModelFormatException Refuse(string key, string expected) =>
        new($"{file}: metadata '{key}' is '{Shortened(Text(key))}' but must be {expected}.");

    private static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
