using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>The teacher's raw features of training images, kept where the backend computes while they fit a budget: the
/// teacher is frozen, so a plain image has the same features in every epoch.</summary>
/// <param name="count">Number of training images.</param>
/// <param name="budget">Bytes that may be kept; 4.8 MB an image at 256 x 256.</param>
public sealed class FeatureCache(int count, long budget) : IDisposable
{
    private readonly Tensor?[] _features = new Tensor?[count];
    private long _left = budget;

    /// <summary>Writes the features of an image, if they are kept.</summary>
    public bool TryRead(int index, IBackend backend, Tensor destination)
    {
        if (_features[index] is not { } kept) return false;
        backend.Copy(kept, destination);
        return true;
    }

    /// <summary>Keeps the features of an image, if they fit.</summary>
    public void Keep(int index, IBackend backend, Tensor features)
    {
        long bytes = features.Shape.Count * sizeof(float);
        if (_features[index] is not null || bytes > _left) return;
        _left -= bytes;
        backend.Copy(features, _features[index] = backend.Allocate(features.Shape));
    }

    /// <summary>Dispose it before the backend.</summary>
    public void Dispose()
    {
        foreach (Tensor? features in _features) features?.Dispose();
    }
}
