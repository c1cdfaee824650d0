namespace EfficientAD.Imaging;

/// <summary>What an image file may claim before <see cref="ImageReader"/> refuses it.</summary>
public sealed record ImageLimits
{
    /// <summary>Largest width times height; 64 million unless set, at most 700 million.</summary>
    public long MaxPixels
    {
        get;
        init => field = value is >= 1 and <= 700_000_000
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(value), value, "The limit must be from 1 to 700,000,000 pixels.");
    } = 64_000_000;

    /// <summary>Largest file; 512 MiB unless set, at most 2,000,000,000 bytes.</summary>
    public long MaxFileBytes
    {
        get;
        init => field = value is >= 1 and <= 2_000_000_000
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(value), value, "The limit must be from 1 to 2,000,000,000 bytes.");
    } = 512L << 20;
}
