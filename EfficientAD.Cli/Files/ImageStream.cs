using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EfficientAD.Imaging;

namespace EfficientAD.Cli.Files;

/// <summary>What became of an image file: an image, or the reason why there is none.</summary>
/// <param name="Index">Of the path in the list that was read.</param>
internal readonly record struct DecodedImage(int Index, RgbImage? Image, string? Reason);

/// <summary>Reads image files beside whoever consumes them.</summary>
internal static class ImageStream
{
    // Enough that neither side waits for the other's unevenness; images may have 200 MB each.
    private const int ReadAhead = 2;

    /// <summary>Decodes files one after another, at most a few ahead of the consumer. An unreadable file yields its
    /// reason, and the rest goes on.</summary>
    public static async IAsyncEnumerable<DecodedImage> ReadAsync(
        IReadOnlyList<string> paths, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var channel = Channel.CreateBounded<DecodedImage>(
            new BoundedChannelOptions(ReadAhead) { SingleReader = true, SingleWriter = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task writer = Task.Run(() => DecodeAsync(paths, channel.Writer, stop.Token), CancellationToken.None);
        try
        {
            await foreach (DecodedImage image in channel.Reader.ReadAllAsync(cancellation)) yield return image;
        }
        finally
        {
            await stop.CancelAsync();
            await writer;
        }
    }

    private static async Task DecodeAsync(
        IReadOnlyList<string> paths, ChannelWriter<DecodedImage> channel, CancellationToken stop)
    {
        try
        {
            for (int i = 0; i < paths.Count; i++) await channel.WriteAsync(Decode(i, paths[i]), stop);
            channel.Complete();
        }
        catch (Exception e)
        {
            channel.Complete(e);
        }
    }

    private static DecodedImage Decode(int index, string path)
    {
        try
        {
            return new DecodedImage(index, ImageReader.Default.Read(path), null);
        }
        catch (Exception e) when (e is ImageFormatException or IOException or UnauthorizedAccessException)
        {
            return new DecodedImage(index, null, e.Message);
        }
    }
}
