namespace EfficientAD.Imaging;

/// <summary>How an image of any shape becomes the networks' input.</summary>
public enum ImageFit
{
    /// <summary>Height and width are resized independently of each other, as all published implementations
    /// do.</summary>
    Squash,

    /// <summary>The shape is kept: the image is resized until it fits, and lies in the middle of a plain
    /// frame.</summary>
    Letterbox,
}

/// <summary>Where an image lies in the networks' input, in pixels of that.</summary>
internal readonly record struct FittedArea(int Top, int Left, int Height, int Width)
{
    /// <summary>Whether the image leaves no frame in an input of this extent.</summary>
    public bool Fills(int height, int width) => (Height, Width) == (height, width);

    /// <param name="image">The image's own extent.</param>
    /// <param name="input">Of the networks' input.</param>
    public static FittedArea Of(ImageFit fit, (int Height, int Width) image, (int Height, int Width) input)
    {
        if (fit == ImageFit.Squash) return new(0, 0, input.Height, input.Width);
        double scale = Math.Min((double)input.Height / image.Height, (double)input.Width / image.Width);
        int height = Math.Clamp((int)Math.Round(image.Height * scale), 1, input.Height);
        int width = Math.Clamp((int)Math.Round(image.Width * scale), 1, input.Width);
        return new((input.Height - height) / 2, (input.Width - width) / 2, height, width);
    }
}
