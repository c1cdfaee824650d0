using EfficientAD.Autograd;
using EfficientAD.Backends.Cuda;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Detection;

/// <summary>The networks' inputs of a batch of images, and how images become them: resized, or with a frame
/// around.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class DetectionInput
{
    private readonly NetworkInput _fitted;
    private readonly (Tensor Image, Tensor? AutoencoderImage)[] _samples;  // null where it is the image

    /// <param name="tape">Keeps the inputs.</param>
    /// <param name="image">Of the patch description networks' input, [n, 3, h, w].</param>
    /// <param name="shared">Holds the inputs where other plans read them too.</param>
    /// <param name="isTile">Whether the image is a part of what the autoencoder sees, so that it never is its
    /// input.</param>
    public DetectionInput(Tape tape, NetworkInput fitted, Shape image, SharedTeacher? shared, bool isTile)
    {
        _fitted = fitted;
        IsGrey = shared?.IsGrey ?? new bool[image.N];
        Image = shared?.Image ?? tape.Allocate(image);
        AutoencoderImage = !isTile && image is { H: Autoencoder.InputSize, W: Autoencoder.InputSize }
            ? Image
            : shared?.AutoencoderImage ?? tape.Allocate(Autoencoder.Input with { N = image.N });
        _samples =
        [
            .. Enumerable.Range(0, image.N).Select(i =>
                (Image.Samples(i, 1), AutoencoderImage == Image ? null : AutoencoderImage.Samples(i, 1))),
        ];
    }

    /// <summary>The patch description networks' input, [n, 3, h, w].</summary>
    public Tensor Image { get; }

    /// <summary>The autoencoder's, [n, 3, 256, 256]; may be the same.</summary>
    public Tensor AutoencoderImage { get; }

    /// <summary>Which images have three equal colours all over.</summary>
    public bool[] IsGrey { get; }

    /// <param name="sample">Its place in the batch.</param>
    public void Write(ImageView image, int sample)
    {
        // A letterbox's frame is not grey.
        IsGrey[sample] = image.Format == PixelFormat.Grey8 && _fitted.Fit == ImageFit.Squash;
        (Tensor input, Tensor? autoencoderInput) = _samples[sample];
        _fitted.Write(image, ColourAdjustment.None, input);
        if (autoencoderInput is not null) _fitted.Write(image, ColourAdjustment.None, autoencoderInput);
    }

    /// <summary>Writes the first place of the batch from an image on the backend's device.</summary>
    public void Write(DeviceImage image, CudaBackend backend)
    {
        IsGrey[0] = false;
        (Tensor input, Tensor? autoencoderInput) = _samples[0];
        backend.PreprocessDevice(image, ColourAdjustment.None, input.Shape.H, input.Shape.W, input);
        if (autoencoderInput is { Shape: { } shape } other)
            backend.PreprocessDevice(image, ColourAdjustment.None, shape.H, shape.W, other);
    }

    /// <summary>Lets somebody else write the inputs.</summary>
    /// <param name="write">Called for each, once or twice.</param>
    public void Write(Action<Tensor> write)
    {
        Array.Clear(IsGrey);
        write(Image);
        if (AutoencoderImage != Image) write(AutoencoderImage);
    }
}
