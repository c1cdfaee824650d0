namespace EfficientAD.Imaging;

/// <summary>An image file was refused: it is damaged, cut, larger than the limits, or of a kind that is not read. The
/// message names the file, what is wrong and what to do.</summary>
public sealed class ImageFormatException : Exception
{
    public ImageFormatException() { }

    public ImageFormatException(string message) : base(message) { }

    public ImageFormatException(string message, Exception? innerException) : base(message, innerException) { }
}
