using EfficientAD.Backends;
using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Networks;

/// <summary>From images to the networks' inputs, as a model's <see cref="ImageFit"/> asks: the patch description
/// networks' own, and the same picture at the autoencoder's size.</summary>
/// <param name="height">Of the patch description networks' input in pixels.</param>
/// <param name="width">Of the same.</param>
internal sealed class NetworkInput(IBackend backend, ImageFit fit, int height, int width)
{
    private InputCanvas? _canvas;

    public ImageFit Fit => fit;

    /// <summary>Of the patch description networks' input in pixels.</summary>
    public int Height => height;

    /// <summary>Of the patch description networks' input in pixels.</summary>
    public int Width => width;

    /// <summary>Where an image of this extent lies in the patch description networks' input.</summary>
    public FittedArea AreaOf(int imageHeight, int imageWidth) =>
        FittedArea.Of(fit, (imageHeight, imageWidth), (height, width));

    /// <param name="adjustment">Applied before the resize.</param>
    /// <param name="input">[1, 3, h, w] of one of the two inputs; overwritten.</param>
    public void Write(ImageView image, ColourAdjustment adjustment, Tensor input)
    {
        // A frame is drawn at the networks' own size, so that the autoencoder sees it where they do.
        if (fit == ImageFit.Squash) backend.Preprocess(image, adjustment, input.Shape.H, input.Shape.W, input);
        else WriteDrawn(Draw(image, adjustment), input);
    }

    /// <summary>Makes what <see cref="Draw"/> gave, or a rectangle of it, an input.</summary>
    public void WriteDrawn(ImageView canvas, Tensor input) =>
        backend.Preprocess(canvas, ColourAdjustment.None, input.Shape.H, input.Shape.W, input);

    /// <summary>What <see cref="Draw"/> drew last.</summary>
    public ImageView Drawn => _canvas is null
        ? throw new InvalidOperationException("NetworkInput: nothing was drawn; call Draw first.")
        : _canvas.View;

    /// <summary>The picture in 8 bits, of the patch description networks' size; valid until the next call.</summary>
    public ImageView Draw(ImageView image, ColourAdjustment adjustment) =>
        (_canvas ??= new InputCanvas(fit, height, width)).Draw(image, adjustment);
}
