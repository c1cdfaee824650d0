using EfficientAD.Imaging;

namespace EfficientAD.Backends.Cuda;

/// <summary>8-bit pixels in the memory of a CUDA device that somebody else owns; nothing is copied.</summary>
/// <param name="Address">CUdeviceptr of the first pixel. Rows lie from top to bottom.</param>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Stride">Bytes from one row to the next.</param>
/// <param name="Format">How a pixel's samples lie.</param>
public readonly record struct DeviceImage(nint Address, int Width, int Height, int Stride, PixelFormat Format)
{
    internal int PixelBytes => ImageView.BytesPerPixelOf(Format);

    /// <summary>Byte of a pixel that holds red; blue lies on the other side of green.</summary>
    internal int Red => Format is PixelFormat.Bgr24 or PixelFormat.Bgra32 ? 2 : 0;

    internal int Blue => Format is PixelFormat.Grey8 ? 0 : 2 - Red;
}
