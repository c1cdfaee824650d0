namespace EfficientAD.Tests.Imaging;

/// <summary>Seeded noise; References/pillow.py draws the same.</summary>
internal static class NoiseImage
{
    public static byte[] Bytes(int count, uint seed)
    {
        var bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            uint x = (uint)i * 2654435761 + seed;
            x = (x ^ (x >> 15)) * 0x2C1B3C6D;
            x = (x ^ (x >> 12)) * 0x297A2D39;
            bytes[i] = (byte)(x >> 24);
        }
        return bytes;
    }
}
