using EfficientAD.Backends;
using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>Images by index, decoded or rendered when first asked for and kept while they fit a budget of
/// memory.</summary>
/// <param name="count">How many there are.</param>
/// <param name="load">Makes image i; called again if it was not kept.</param>
/// <param name="budget">Bytes that may be kept.</param>
public sealed class ImageSet(int count, Func<int, RgbImage> load, long budget)
{
    private readonly RgbImage?[] _kept = new RgbImage?[count];
    private readonly HashSet<(int Height, int Width)> _sizes = [];
    private long _left = budget;

    /// <summary>The images of these files.</summary>
    /// <param name="budget">Bytes that may be kept.</param>
    public static ImageSet Of(IReadOnlyList<string> paths, long budget) =>
        new(paths.Count, i => ImageReader.Default.Read(paths[i]), budget);

    public int Count => count;

    /// <summary>Whether the images are shown as they are; others are penalty images that are first resized to twice the
    /// networks' input, of which the centre is taken.</summary>
    public bool AtInputScale { get; init; }

    /// <summary>Times the networks' input that penalty images are resized to.</summary>
    internal int Zoom => AtInputScale ? 1 : 2;

    public RgbImage this[int index]
    {
        get
        {
            if (_kept[index] is { } kept) return kept;
            RgbImage image = load(index);
            _sizes.Add((image.Height, image.Width));
            if (image.Pixels.Length <= _left)
            {
                _left -= image.Pixels.Length;
                _kept[index] = image;
            }

            return image;
        }
    }

    /// <summary>Shows a penalty image to the networks. As published: resized to twice their input, then its centre;
    /// images at the input's scale are only resized to it.</summary>
    /// <param name="input">[1, 3, h, w]; overwritten.</param>
    public void Prepare(int index, ColourAdjustment adjustment, IBackend backend, Tensor input)
    {
        backend.Preprocess(this[index].View, adjustment, Zoom * input.Shape.H, Zoom * input.Shape.W, input);
    }

    /// <summary>So many of these images at most, evenly spread over them; they are kept, or not, in this set.</summary>
    internal ImageSet Some(int most)
    {
        int taken = Math.Min(count, most);
        return new ImageSet(taken, i => this[(int)((long)i * count / taken)], budget: 0);
    }

    /// <summary>Reads every image once: what cannot be read is told before anything rests on it, and all sizes are
    /// known.</summary>
    /// <exception cref="ImageFormatException">An image cannot be read.</exception>
    public void ReadAll(CancellationToken cancellation)
    {
        for (int i = 0; i < count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            _ = this[i];
        }
    }

    /// <summary>The size of all images of two sets that were seen so far, or zeros where they differ.</summary>
    public static (int Height, int Width) CommonSize(ImageSet first, ImageSet second) =>
        first._sizes.Union(second._sizes).ToArray() is [var size] ? size : (0, 0);
}
