namespace EfficientAD.Imaging;

/// <summary>The picture that the networks see, in 8 bits: an image resized and placed. A letterbox's frame has
/// ImageNet's mean colour, which normalisation makes (almost) zero.</summary>
/// <remarks>Remembers the resize of the last size; allocates nothing for a size it knows. Not thread-safe.</remarks>
internal sealed class InputCanvas(ImageFit fit, int height, int width)
{
    private readonly RgbImage _canvas = new(width, height);
    private (int Height, int Width) _source;
    private FittedArea _area;
    private PillowResize? _resize;
    private byte[] _resized = [];

    /// <summary>What was drawn last.</summary>
    public ImageView View => _canvas.View;

    /// <param name="adjustment">Applied before the resize.</param>
    /// <returns>The canvas; valid until the next call.</returns>
    public ImageView Draw(ImageView image, ColourAdjustment adjustment)
    {
        if (_resize is null || _source != (image.Height, image.Width)) Prepare((image.Height, image.Width));
        if (_area.Fills(height, width))
        {
            _resize!.Run(image, adjustment, _canvas.Pixels);
            return _canvas.View;
        }

        _resize!.Run(image, adjustment, _resized);
        int row = 3 * _area.Width;
        for (int y = 0; y < _area.Height; y++)
            _resized.AsSpan(y * row, row).CopyTo(_canvas.Pixels.AsSpan(3 * ((_area.Top + y) * width + _area.Left)));
        return _canvas.View;
    }

    private void Prepare((int Height, int Width) source)
    {
        (_source, _area) = (source, FittedArea.Of(fit, source, (height, width)));
        _resize = new PillowResize(source.Height, source.Width, _area.Height, _area.Width);
        _resized = _area.Fills(height, width) ? [] : new byte[3 * _area.Height * _area.Width];
        for (int i = 0; i < _canvas.Pixels.Length; i++)
            _canvas.Pixels[i] = (byte)MathF.Round(255 * Preprocessing.Mean[i % 3]);
    }
}
