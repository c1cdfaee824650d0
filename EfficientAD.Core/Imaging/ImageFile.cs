namespace EfficientAD.Imaging;

/// <summary>A file's bytes on their way through the gate.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Bytes">The whole file; untrusted.</param>
/// <param name="Limits">What it may claim.</param>
/// <param name="ForMask">Samples of more than 8 bits keep "is not zero" when they are scaled down.</param>
internal sealed record ImageFile(string Name, byte[] Bytes, ImageLimits Limits, bool ForMask)
{
    /// <summary>The exception that names this file.</summary>
    /// <param name="problem">What is wrong, both values, what to do; sentences.</param>
    public ImageFormatException Refuse(string problem) => new($"{Name}: {problem}");

    /// <summary>The exception for a file that is broken, not just unsupported.</summary>
    /// <param name="problem">What is wrong and both values, without a full stop.</param>
    public ImageFormatException Damaged(string problem, Exception? cause = null) =>
        new($"{Name}: {problem}. Copy or export it again.", cause);

    public ImageFormatException Cut(string what, long at, long needed) => Damaged(
        $"the file is cut: {what} at byte {at} takes {needed} bytes but {Math.Max(Bytes.Length - at, 0)} remain");

    /// <summary>Refuses an empty picture and one over the limit.</summary>
    public void CheckSize(long width, long height)
    {
        if (width < 1 || height < 1) throw Damaged($"the picture is {width} x {height}");
        if (height > Limits.MaxPixels / width)
            throw Refuse(
                $"the picture is {width} x {height} = {(Int128)width * height} pixels, the limit is {Limits.MaxPixels}"
                + $". Crop or shrink it, or raise {nameof(ImageLimits)}.{nameof(ImageLimits.MaxPixels)}.");
    }

    /// <summary>Scales a sample of 0 .. maximum to 0 .. 255, rounding to the nearest.</summary>
    public byte Scale(int sample, int maximum)
    {
        int scaled = (int)((510L * sample + maximum) / (2L * maximum));
        return (byte)(ForMask && sample > 0 ? Math.Max(scaled, 1) : scaled);
    }
}
