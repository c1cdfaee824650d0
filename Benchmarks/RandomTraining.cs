using EfficientAD.Backends;
using EfficientAD.Networks;
using EfficientAD.Training;

namespace EfficientAD.Benchmarks;

/// <summary>Full training steps at 256 x 256 from random weights: augmentation, teacher, student, autoencoder, losses,
/// backward, Adam. The plain images' teacher features come from the cache, as from the second epoch on.</summary>
internal sealed class RandomTraining : IDisposable
{
    private const int ImageCount = 2;

    private readonly ImageSet _images = Images(seed: 1), _penaltyImages = Images(seed: 2);
    private readonly FeatureCache _features = new(ImageCount, long.MaxValue);
    private readonly DetectionNetworks _networks;
    private readonly TrainingStep _step;
    private int _index;

    public RandomTraining(IBackend backend, PdnSize size, int batch = 1)
    {
        _networks = RandomNetworks.Create(backend, size, trainable: true);
        _step = new TrainingStep(_networks, Recipe.Reference with { BatchSize = batch }, new StepDraws(1), 256, 256);
    }

    public StepLosses Step() => _step.Run(_index++, 1e-4f, _images, _penaltyImages, _features);

    public void Dispose()
    {
        _step.Dispose();
        _networks.Dispose();
    }

    private static ImageSet Images(ulong seed) =>
        new(ImageCount, i => NaturalTexture.Render(seed, i, size: 256), long.MaxValue) { AtInputScale = true };
}
