using EfficientAD.Cli.Reports;
using EfficientAD.Detection;
using EfficientAD.Imaging;

namespace EfficientAD.Cli.Files;

/// <summary>Where predict writes its overlays: NAME_overlay.png, below the same sub-folders as the images.</summary>
internal sealed class OverlayFolder
{
    private const string Suffix = "_overlay";

    private readonly string[] _targets;

    /// <param name="folder">Made if need be. May hold other things; none of the images, which the next run would else
    /// judge along with its own overlays.</param>
    /// <exception cref="UsageException">One of the images lies in the folder.</exception>
    public OverlayFolder(string folder, IReadOnlyList<ImagePath> images)
    {
        string root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        foreach (ImagePath image in images)
        {
            if (Path.GetFullPath(image.Path).StartsWith(root, StringComparison.Ordinal))
            {
                throw new UsageException(
                    $"The image {image.Path} lies in the folder for overlays. Name another folder with --out.");
            }
        }

        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        _targets = [.. images.Select(image => Path.Combine(root, Unique(image.Name, taken)))];
        Directory.CreateDirectory(root);
    }

    /// <summary>Writes the overlay of one image, replacing that of an earlier run.</summary>
    /// <param name="index">Of the image in the list.</param>
    /// <param name="result">With its map.</param>
    public void Write(int index, RgbImage image, DetectionResult result, float threshold)
    {
        string target = _targets[index];
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        ImageWriter.WritePng(target, Overlay.Render(image, result.Map!, threshold, contour: true));
    }

    /// <summary>Images of the same name, from two folders or with two extensions, get a number each.</summary>
    private static string Unique(string image, HashSet<string> taken)
    {
        string name = Path.ChangeExtension(image, null);
        string unique = $"{name}{Suffix}.png";
        for (int i = 2; !taken.Add(unique); i++) unique = $"{name}{Suffix}-{i}.png";
        return unique;
    }
}
