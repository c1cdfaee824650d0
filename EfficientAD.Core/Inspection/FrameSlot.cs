using EfficientAD.Imaging;

namespace EfficientAD.Inspection;

/// <summary>Memory for one frame of a camera, used again and again.</summary>
internal sealed class FrameSlot(CameraOptions options)
{
    private readonly byte[] _pixels = GC.AllocateUninitializedArray<byte>(
        checked((int)ImageView.BytesOf(options.Width, options.Height, RowBytesOf(options), options.Format)),
        pinned: true);

    public long Sequence { get; set; }

    public long CapturedAt { get; set; }

    /// <summary>Why there are no pixels; null where there are.</summary>
    public string? Fault { get; private set; }

    public ImageView Image => Fault is null
        ? new ImageView(_pixels, options.Width, options.Height, RowBytesOf(options), options.Format)
        : default;

    /// <summary>Copies a frame's rows, without the padding between them.</summary>
    public void Fill(ImageView image)
    {
        Fault = null;
        if (image.Width != options.Width || image.Height != options.Height || image.Format != options.Format)
        {
            Fault = $"The frame is {image.Width} x {image.Height} {image.Format} but its camera delivers " +
                $"{options.Width} x {options.Height} {options.Format}.";
            return;
        }

        int rowBytes = RowBytesOf(options);
        if (image.Stride == rowBytes)
        {
            image.Pixels[.._pixels.Length].CopyTo(_pixels);
            return;
        }

        for (int y = 0; y < image.Height; y++) image.Row(y).CopyTo(_pixels.AsSpan(y * rowBytes));
    }

    private static int RowBytesOf(CameraOptions options) =>
        checked(options.Width * ImageView.BytesPerPixelOf(options.Format));
}
