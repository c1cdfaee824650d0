using EfficientAD.Backends;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>The two maps of every good image set aside: their pixels give the quantiles (paper, section 3.4), their
/// maxima the threshold.</summary>
/// <param name="fit">Weighs the global map by what the autoencoder explains; null does not, as published.</param>
internal sealed class ValidationMaps(DetectionPlan plan, IBackend backend, int count, AutoencoderFit? fit = null)
{
    // Of the global map's quantiles, as a share of the local map's: both are errors of features of unit variance, and a
    // map that varies far less, because its autoencoder and student agree on a constant, would be scaled up to noise.
    private const float SmallestSpan = 0.1f;

    private readonly int _mapCount = plan.LocalMap.Shape.Plane;
    private readonly List<(int Height, int Width)> _sizes = [];
    private readonly float[] _local = new float[count * plan.LocalMap.Shape.Plane];
    private readonly float[] _global = new float[count * plan.LocalMap.Shape.Plane];

    public void Add(RgbImage image)
    {
        plan.ComputeMaps(image.View);
        fit?.Add(image.View);
        int first = _sizes.Count * _mapCount;
        backend.Download(plan.LocalMap, _local.AsSpan(first, _mapCount));
        backend.Download(plan.GlobalMap, _global.AsSpan(first, _mapCount));
        _sizes.Add((image.Height, image.Width));
    }

    /// <param name="recipe">Says whether the global map counts, and whether both maps have one scale.</param>
    /// <exception cref="InvalidOperationException">A map does not vary or is not finite.</exception>
    public MapScaling FindScaling(Recipe recipe)
    {
        float[] local = InsideOf(_local), global = InsideOf(_global);
        using Tensor values = backend.Allocate(new Shape(1, 1, 1, local.Length));
        using Tensor quantile = backend.Allocate(new Shape(1, 1, 1, 1));
        backend.Upload(local, values);
        (float localLow, float localHigh) = (Quantile(MapScaling.LowQuantile), Quantile(MapScaling.HighQuantile));
        backend.Upload(global, values);
        (float globalLow, float globalHigh) = (Quantile(MapScaling.LowQuantile), Quantile(MapScaling.HighQuantile));
        if (!recipe.SeparateMapScales) (globalLow, globalHigh) = (localLow, localHigh);
        if (fit is not null)
        {
            float span = MathF.Max(globalHigh - globalLow, SmallestSpan * (localHigh - localLow));
            globalHigh = globalLow + span / fit.Explained;
        }

        if (!recipe.Autoencoder) (globalLow, globalHigh) = (0, 0);
        var scaling = new MapScaling(localLow, localHigh, globalLow, globalHigh);
        return scaling is { IsValid: true, LocalScale: > 0 } && (scaling.GlobalScale > 0 || !recipe.Autoencoder)
            ? scaling
            : throw new InvalidOperationException(
                $"The maps of the {count} validation images cannot be scaled: their quantiles are {scaling}. " +
                "Are those images blank or all the same?");

        float Quantile(float q)
        {
            Span<float> result = stackalloc float[1];
            backend.Quantile(values, q, quantile);
            backend.Download(quantile, result);
            return result[0];
        }
    }

    /// <summary>The values whose patches are centred on an image: a letterbox's frame says nothing about good
    /// parts.</summary>
    private float[] InsideOf(float[] maps)
    {
        if (_sizes.TrueForAll(size => plan.Covers(plan.AreaOf(size.Height, size.Width)))) return maps;
        var inside = new List<float>();
        for (int i = 0; i < _sizes.Count; i++)
        {
            FittedArea area = plan.AreaOf(_sizes[i].Height, _sizes[i].Width);
            foreach (int place in plan.PlacesInside(area)) inside.Add(maps[i * _mapCount + place]);
        }

        return [.. inside];
    }

    /// <summary>The score of each image under a scaling, as the detector will compute it.</summary>
    public float[] Scores(MapScaling scaling)
    {
        var scores = new float[_sizes.Count];
        for (int i = 0; i < scores.Length; i++)
        {
            backend.Upload(_local.AsSpan(i * _mapCount, _mapCount), plan.LocalMap);
            backend.Upload(_global.AsSpan(i * _mapCount, _mapCount), plan.GlobalMap);
            scores[i] = plan.Combine(scaling, _sizes[i].Height, _sizes[i].Width, []);
        }

        return scores;
    }
}
