using EfficientAD.Tests.References;

namespace EfficientAD.Tests.Imaging;

/// <summary>The values that References/pillow.py wrote.</summary>
internal static class PillowReference
{
    public static byte[] Bytes(string file, string tensor) =>
        ReferenceFile.Open($"pillow/{file}.safetensors").Bytes(tensor).ToArray();

    public static float[] Floats(string file, string tensor) =>
        ReferenceFile.Open($"pillow/{file}.safetensors").Floats(tensor).ToArray();
}
