using System.Runtime.CompilerServices;
using EfficientAD.Imaging;

namespace EfficientAD.Cli.Files;

/// <summary>What became of an image file: an image, or the reason why there is none.</summary>
/// <param name="Index">Of the path in the list that was read.</param>
internal readonly record struct DecodedImage(int Index, RgbImage? Image, string? Reason);

/// <summary>Reads image files beside whoever consumes them.</summary>
internal static class ImageStream
{
    // Images may have 200 MB each.
    private const int MostAhead = 8;

    /// <summary>Decodes files side by side, at most as many ahead of the consumer as there are cores, and yields them
    /// in the order of their paths. An unreadable file yields its reason, and the rest goes on.</summary>
    public static async IAsyncEnumerable<DecodedImage> ReadAsync(
        IReadOnlyList<string> paths, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        // Two at least: neither side shall wait for the other's unevenness.
        int ahead = Math.Clamp(Environment.ProcessorCount, 2, MostAhead);
        var begun = new Queue<Task<DecodedImage>>();
        int next = 0;
        while (next < paths.Count || begun.Count > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            for (; next < paths.Count && begun.Count < ahead; next++)
            {
                int index = next;
                begun.Enqueue(Task.Run(() => Decode(index, paths[index]), CancellationToken.None));
            }

            yield return await begun.Dequeue();
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
