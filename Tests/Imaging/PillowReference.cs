using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace EfficientAD.Tests.Imaging;

/// <summary>The values that References/pillow.py wrote.</summary>
internal static class PillowReference
{
    public static byte[] Bytes(string file, string tensor)
    {
        using Stream stream = typeof(PillowReference).Assembly.GetManifestResourceStream($"pillow/{file}.safetensors")
            ?? throw new FileNotFoundException($"No embedded pillow/{file}.safetensors; run References/pillow.py.");
        var all = new byte[stream.Length];
        stream.ReadExactly(all);
        int headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(all);
        using JsonDocument header = JsonDocument.Parse(all.AsMemory(8, headerLength));
        JsonElement offsets = header.RootElement.GetProperty(tensor).GetProperty("data_offsets");
        return all[(8 + headerLength + offsets[0].GetInt32())..(8 + headerLength + offsets[1].GetInt32())];
    }

    public static float[] Floats(string file, string tensor) =>
        MemoryMarshal.Cast<byte, float>(Bytes(file, tensor)).ToArray();
}
