using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace EfficientAD.Imaging;

/// <summary>Brings a row of any <see cref="PixelFormat"/> to one form: 32 bits a pixel, red lowest, then green and
/// blue; the highest byte is arbitrary.</summary>
internal static class PixelRow
{
    /// <param name="row">Pixels in <paramref name="format"/>.</param>
    /// <param name="pixels">Overwritten; as many pixels as the row holds.</param>
    public static void Unpack(ReadOnlySpan<byte> row, PixelFormat format, Span<uint> pixels)
    {
        switch (format)
        {
            case PixelFormat.Rgb24:
                Shuffle(row, 3, Vector128.Create((byte)0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11), pixels);
                break;
            case PixelFormat.Bgr24:
                Shuffle(row, 3, Vector128.Create((byte)2, 1, 0, 0, 5, 4, 3, 3, 8, 7, 6, 6, 11, 10, 9, 9), pixels);
                break;
            case PixelFormat.Rgba32:
                row.CopyTo(MemoryMarshal.AsBytes(pixels));
                break;
            case PixelFormat.Bgra32:
                Shuffle(row, 4, Vector128.Create((byte)2, 1, 0, 3, 6, 5, 4, 7, 10, 9, 8, 11, 14, 13, 12, 15), pixels);
                break;
            case PixelFormat.Grey8:
                Shuffle(row, 1, Vector128.Create((byte)0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3), pixels);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(format), format, "Not a pixel format.");
        }
    }

    /// <summary>Four pixels at a time while 16 bytes can be read, then one at a time.</summary>
    private static void Shuffle(ReadOnlySpan<byte> row, int bytesPerPixel, Vector128<byte> order, Span<uint> pixels)
    {
        int x = 0;
        ref byte source = ref MemoryMarshal.GetReference(row);
        for (; x * bytesPerPixel + Vector128<byte>.Count <= row.Length; x += 4)
            Vector128.ShuffleNative(Vector128.LoadUnsafe(ref source, (nuint)(x * bytesPerPixel)), order)
                .AsUInt32().CopyTo(pixels[x..]);
        int red = order[0], green = order[1], blue = order[2];
        for (; x * bytesPerPixel < row.Length; x++)
        {
            ReadOnlySpan<byte> pixel = row.Slice(x * bytesPerPixel, bytesPerPixel);
            pixels[x] = pixel[red] | (uint)pixel[green] << 8 | (uint)pixel[blue] << 16;
        }
    }
}
