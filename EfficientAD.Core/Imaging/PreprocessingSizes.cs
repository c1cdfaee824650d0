namespace EfficientAD.Imaging;

/// <summary>From which size to which: the image is resized, then the centre of that is cut out.</summary>
internal readonly record struct PreprocessingSizes(
    int SourceHeight, int SourceWidth, int ResizedHeight, int ResizedWidth, int Height, int Width)
{
    /// <summary>First row of the crop.</summary>
    public int Top => CropOffset(ResizedHeight, Height);

    /// <summary>First column of the crop.</summary>
    public int Left => CropOffset(ResizedWidth, Width);

    /// <exception cref="ArgumentException">The crop is not inside the resized image.</exception>
    public void RequireCropInside()
    {
        if (Height < 1 || Width < 1 || Height > ResizedHeight || Width > ResizedWidth)
        {
            throw new ArgumentException(
                $"A crop of {Width} x {Height} is not inside the resized image of {ResizedWidth} x {ResizedHeight}.");
        }
    }

    /// <summary>As torchvision's center_crop: half of an odd margin is rounded to the even neighbour.</summary>
    private static int CropOffset(int resized, int size) =>
        (int)Math.Round((resized - size) / 2.0, MidpointRounding.ToEven);
}
