using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Distillation;

/// <summary>Makes a view's two halves: the teacher's input, and the target that the backbone gives or the cache
/// remembers.</summary>
internal sealed class DistillationSamples : IDisposable
{
    private readonly IBackbone _backbone;
    private readonly ImageSet _images;
    private readonly DistillationDraws _draws;
    private readonly PatchFeatures _features = new();
    private readonly Preprocessing _preprocessing = new();
    private readonly TargetCache _cache;
    private readonly int _viewSize, _margin;
    private readonly Half[] _half;

    public DistillationSamples(
        IBackbone backbone, ImageSet images, DistillationDraws draws, DistillationOptions options)
    {
        (_backbone, _images, _draws, _viewSize) = (backbone, images, draws, options.ViewSize);
        int map = PatchDescriptionNetwork.OutputSize(options.ViewSize, options.Padded);
        _margin = (options.ViewSize / 4 - map) / 2;
        Input = new Shape(1, 3, options.ViewSize, options.ViewSize);
        Target = new Shape(1, PatchDescriptionNetwork.TeacherChannels, map, map);
        _half = new Half[Target.Count];
        _cache = new TargetCache(options.CacheFolder, backbone.Fingerprint, _half.Length, options.CacheBudget);
    }

    /// <summary>[1, 3, size, size].</summary>
    public Shape Input { get; }

    /// <summary>[1, 384, h, w]: what the teacher makes of <see cref="Input"/>.</summary>
    public Shape Target { get; }

    /// <summary>How many targets had to be computed.</summary>
    public int BackboneCalls { get; private set; }

    /// <summary>Writes one sample; the same image and view give the same bits, cached or not.</summary>
    /// <param name="input">Of shape <see cref="Input"/>; normalised as all networks here expect it.</param>
    /// <param name="target">Of shape <see cref="Target"/>; as the backbone gives it, not normalised.</param>
    public void Write(int image, int view, Span<float> input, Span<float> target)
    {
        RgbImage source = _images[image];
        DistillationView drawn = DistillationView.Draw(
            _draws.View(image, view), source.Width, source.Height, _viewSize);
        RgbImage small = drawn.Render(source, _viewSize), large = drawn.Render(source, 2 * _viewSize);
        _preprocessing.Run(small.View, ColourAdjustment.None, _viewSize, _viewSize, _viewSize, _viewSize, input);

        long slot = (long)view * _images.Count + image;
        if (!_cache.TryRead(slot, large.Pixels, _half))
        {
            Compute(large);
            _cache.Write(slot, large.Pixels, _half);
        }

        TensorPrimitives.ConvertToSingle(_half, target);
    }

    public void Dispose() => _cache.Dispose();

    private void Compute(RgbImage image)
    {
        BackboneCalls++;
        (FeatureMap earlier, FeatureMap later) = _backbone.Extract(image);
        int grid = _viewSize / 4;
        if (earlier.Height != grid || earlier.Width != grid)
        {
            throw new InvalidOperationException(
                $"For an image of {image.Width} x {image.Height} the backbone's earlier stage gives {earlier} but " +
                $"the teacher needs a grid of {grid} x {grid}. Name a stage of stride 8 and the one after it.");
        }

        FeatureMap features = _features.Compute(earlier, later);
        for (int row = 0; row < Target.C * Target.H; row++)
        {
            int c = row / Target.H, y = row % Target.H + _margin;
            TensorPrimitives.ConvertToHalf(
                features.Values.Span.Slice((c * grid + y) * grid + _margin, Target.W), _half.AsSpan(row * Target.W));
        }

        foreach (Half value in _half)
        {
            if (!Half.IsFinite(value))
            {
                throw new InvalidOperationException(
                    $"The backbone gives {value} for an image, which is no feature of 16 bits. " +
                    "Is it damaged, or its input normalised otherwise?");
            }
        }
    }
}
