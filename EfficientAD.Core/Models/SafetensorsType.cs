namespace EfficientAD.Models;

/// <summary>Element types of the safetensors format, named as in its header; little-endian.</summary>
/// <remarks>8-bit and smaller floats are not supported.</remarks>
public enum SafetensorsType
{
    BOOL,
    U8,
    I8,
    U16,
    I16,
    F16,
    BF16,
    U32,
    I32,
    F32,
    U64,
    I64,
    F64,
}

internal static class SafetensorsTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this SafetensorsType type) => type switch
    {
        <= SafetensorsType.I8 => 1,
        <= SafetensorsType.BF16 => 2,
        <= SafetensorsType.F32 => 4,
        _ => 8,
    };

    /// <summary>Case matters, and numbers (which Enum.TryParse would take) are no types.</summary>
    public static bool TryParse(string text, out SafetensorsType type) =>
        Enum.TryParse(text, out type) && type.ToString() == text;
}
