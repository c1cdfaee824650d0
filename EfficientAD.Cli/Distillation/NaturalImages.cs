using EfficientAD.Cli.Files;
using EfficientAD.Cli.Output;
using EfficientAD.Data;
using EfficientAD.Imaging;
using EfficientAD.Training;

namespace EfficientAD.Cli.Distillation;

/// <summary>The images to distil from. All are decoded once before hours go by; those that cannot be read are named and
/// left out.</summary>
/// <param name="Set">Decoded when asked for; some stay in memory.</param>
/// <param name="Hash">Over names and contents.</param>
internal sealed record NaturalImages(ImageSet Set, string Hash)
{
    private const int MemoryShare = 8;

    /// <param name="heldBack">At least one image more is needed.</param>
    /// <exception cref="DirectoryNotFoundException">The folder is missing or holds no images.</exception>
    /// <exception cref="DatasetException">Too few images can be read.</exception>
    public static NaturalImages Read(
        string folder, int heldBack, CommandOutput output, bool json, CancellationToken cancellation)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"The folder {folder} (--images) does not exist.");
        IReadOnlyList<ImagePath> found = ImagePaths.Expand([folder]);
        var paths = new List<string>();
        foreach (ImagePath image in found)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                ImageReader.Default.Read(image.Path);
                paths.Add(image.Path);
            }
            catch (Exception e) when (e is ImageFormatException or IOException or UnauthorizedAccessException)
            {
                output.Warn($"{e.Message} It is left out.");
            }
        }

        if (paths.Count <= heldBack)
        {
            throw new DatasetException(
                $"{folder}: {paths.Count} images can be read, of which {heldBack} are held back. " +
                "Give more images, or less to --held-back.");
        }

        long memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / MemoryShare;
        var set = new ImageSet(paths.Count, i => ImageReader.Default.Read(paths[i]), memory);
        return new NaturalImages(set, DatasetHash.Compute(folder, paths, cancellation));
    }
}
