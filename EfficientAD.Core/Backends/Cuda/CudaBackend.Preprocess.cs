using EfficientAD.Backends.Cuda.Training;
using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    private const int StagedImages = 2;  // one is copied to the device while the host fills the next

    private readonly ResizeFilters _filters;
    private PinnedRing? _staging;
    private long _stagingBytes;

    public void Preprocess(
        ImageView image, ColourAdjustment adjustment, int resizedHeight, int resizedWidth, Tensor output)
    {
        int rowBytes = image.Width * image.BytesPerPixel;
        long bytes = (long)rowBytes * image.Height;
        var frame = new DeviceImage(0, image.Width, image.Height, rowBytes, image.Format);
        PreprocessingSizes sizes = RequireSizes(frame, adjustment, resizedHeight, resizedWidth, output);

        PinnedBuffer staged = Stage(image, bytes);
        (nint lumaSum, nint rows, nint address) = ReserveForPreprocessing(sizes, bytes);
        _stream.Upload(staged, bytes, address);
        _staging!.Retire(_stream);
        Preprocess(frame with { Address = address }, adjustment, sizes, lumaSum, rows, output);
    }

    /// <summary>As <see cref="Preprocess(ImageView, ColourAdjustment, int, int, Tensor)"/>, for an image that is on
    /// the device already: from a camera's driver or a decoder that writes there.</summary>
    /// <param name="image">It is read in the stream's order: leave it alone until the stream has come past this
    /// call.</param>
    /// <remarks>Nothing is allocated and nothing waits at sizes that were met before; up to 16 are
    /// remembered.</remarks>
    /// <exception cref="ArgumentException">The address is not on the device, or the numbers fit no image.</exception>
    public void PreprocessDevice(
        DeviceImage image, ColourAdjustment adjustment, int resizedHeight, int resizedWidth, Tensor output)
    {
        ImageView.BytesOf(image.Width, image.Height, image.Stride, image.Format);
        _context.RequireDeviceMemory(image.Address);
        PreprocessingSizes sizes = RequireSizes(image, adjustment, resizedHeight, resizedWidth, output);
        (nint lumaSum, nint rows, _) = ReserveForPreprocessing(sizes, 0);
        Preprocess(image, adjustment, sizes, lumaSum, rows, output);
    }

    /// <summary>Sends an image to the device, in the stream's order, and adds up its luma there.</summary>
    internal ResidentImage Send(ImageView image)
    {
        long bytes = (long)image.Width * image.BytesPerPixel * image.Height, aligned = Scratch.Align(bytes);
        var memory = new DeviceBuffer(_stream, aligned + sizeof(ulong));
        var sent = new DeviceImage(
            memory.Address, image.Width, image.Height, image.Width * image.BytesPerPixel, image.Format);
        _stream.Upload(Stage(image, bytes), bytes, memory.Address);
        _staging!.Retire(_stream);
        nint lumaSum = memory.Address + (nint)aligned;
        SumLuma(sent, lumaSum);
        return new ResidentImage(memory, sent, lumaSum);
    }

    private static PreprocessingSizes RequireSizes(
        DeviceImage frame, ColourAdjustment adjustment, int resizedHeight, int resizedWidth, Tensor output)
    {
        RequireShape(output.Shape with { N = 1, C = 3 }, output, operation: nameof(Preprocess));
        adjustment.RequireFiniteFactor();
        var sizes = new PreprocessingSizes(
            frame.Height, frame.Width, resizedHeight, resizedWidth, output.Shape.H, output.Shape.W);
        sizes.RequireCropInside();
        return sizes;
    }

    /// <summary>The image without the padding between its rows, in pinned memory; <see cref="PinnedRing.Retire"/>
    /// follows.</summary>
    private PinnedBuffer Stage(ImageView image, long bytes)
    {
        PinnedBuffer staged = NextStaged(bytes);
        Span<byte> pixels = staged.AsSpan<byte>();
        int rowBytes = image.Width * image.BytesPerPixel;
        for (int y = 0; y < image.Height; y++) image.Row(y).CopyTo(pixels[(y * rowBytes)..]);
        return staged;
    }

    private PinnedBuffer NextStaged(long bytes)
    {
        if (_staging is null || _stagingBytes < bytes)
        {
            _staging?.Dispose();
            _staging = new PinnedRing(_context, StagedImages, bytes, writeCombined: true);
            _stagingBytes = bytes;
        }

        return _staging.Next();
    }

    /// <summary>Room for the sum of all luma, for the rows after the horizontal pass, and for an image.</summary>
    private (nint LumaSum, nint Rows, nint Image) ReserveForPreprocessing(PreprocessingSizes sizes, long imageBytes)
    {
        long sumBytes = Scratch.Align(sizeof(ulong));
        long rowsBytes = Scratch.Align((long)_filters.For(sizes).RowCount * sizes.Width * sizeof(uint));
        nint start = _scratch.Reserve(sumBytes + rowsBytes + imageBytes);
        return (start, start + (nint)sumBytes, start + (nint)(sumBytes + rowsBytes));
    }

    private void Preprocess(
        DeviceImage frame, ColourAdjustment adjustment, PreprocessingSizes sizes, nint lumaSum, nint rows,
        Tensor output)
    {
        if (adjustment.Kind == ColourAdjustmentKind.Contrast) SumLuma(frame, lumaSum);
        ResizeFilterPair filters = _filters.For(sizes);
        (DeviceFilter columns, DeviceFilter lines) = (filters.Columns, filters.Rows);
        Launch(
            "preprocess", "preprocess_horizontal", Pixels(new Shape(filters.RowCount, 1, 1, sizes.Width)),
            frame.Address, frame.Width, frame.Height, frame.Stride, frame.PixelBytes, frame.Red, frame.Blue,
            (int)adjustment.Kind, adjustment.Factor, lumaSum, filters.FirstRow, filters.RowCount,
            columns.Starts, columns.Offsets, columns.Weights, sizes.Width, rows);
        Launch(
            "preprocess", "preprocess_vertical", Threads(output.Shape.Plane),
            rows, filters.FirstRow, lines.Starts, lines.Offsets, lines.Weights, sizes.Height, sizes.Width,
            output.Address);
    }

    private void SumLuma(in DeviceImage image, nint sum)
    {
        _stream.Fill(0, sum, sizeof(ulong) / sizeof(uint));
        Launch(
            "preprocess", "preprocess_luma", Reduction((long)image.Width * image.Height),
            image.Address, image.Width, image.Height, image.Stride, image.PixelBytes, image.Red, image.Blue, sum);
    }
}
