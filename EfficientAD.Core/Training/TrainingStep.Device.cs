using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Training;
using EfficientAD.Imaging;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

public sealed partial class TrainingStep
{
    private readonly DeviceStep? _device;  // null where the CPU computes, and without autoencoder or with a letterbox

    /// <summary>As <see cref="DrawImages"/> adds them: per sample the plain view, the augmented one, that of the
    /// autoencoder where its size is another, the penalty's.</summary>
    private DeviceStep OnDevice(CudaBackend cuda)
    {
        int batch = _recipe.BatchSize;
        List<Tensor> outputs = [];
        for (int b = 0; b < batch; b++)
        {
            outputs.AddRange([_images.Samples(b, 1), _images.Samples(batch + b, 1)]);
            if (HasAutoencoderImages) outputs.Add(_autoencoderImages!.Samples(b, 1));
            if (_recipe.Penalty) outputs.Add(_images.Samples(2 * batch + b, 1));
        }

        Variable[] losses = _penalty is null
            ? [_hard, _autoencoder!, _studentAutoencoder!] : [_hard, _autoencoder!, _studentAutoencoder!, _penalty];
        return new DeviceStep(
            cuda, outputs, [.. losses.Select(loss => loss.Value)], cuda.Stream.Context.QueryFreeBytes() / 2,
            ComputeOnDevice);
    }

    private bool HasAutoencoderImages => _autoencoderImages!.Address != _images.Samples(_recipe.BatchSize, 1).Address;

    private StepLosses RunOnDevice(
        int step, float learningRate, ImageSet images, ImageSet? penaltyImages, FeatureCache features)
    {
        Step = 0;  // the block carries it
        var settings = new AdamSettings(learningRate, _recipe.WeightDecay);
        _device!.Begin((ulong)step * StepDraws.DropoutsPerStep, settings, step + 1);
        int batch = _recipe.BatchSize;
        bool featuresKnown = true;
        for (int b = 0; b < batch; b++)
        {
            long sample = (long)step * batch + b;
            int index = _draws.ImageIndex(sample, images.Count);
            ResidentImage image = _device.Find(images, index);
            _device.Add(image, ColourAdjustment.None);
            featuresKnown &= features.TryRead(index, _backend, _plainFeatures.Samples(b, 1));
            ColourAdjustment jitter = _draws.Jitter(sample);
            _device.Add(image, jitter);
            if (HasAutoencoderImages) _device.Add(image, jitter);
            if (!_recipe.Penalty) continue;
            (int penaltyIndex, ColourAdjustment adjustment) = _draws.Penalty(sample, penaltyImages!.Count);
            _device.Add(_device.Find(penaltyImages, penaltyIndex), adjustment, penaltyImages.Zoom);
        }

        _device.SendDraws();
        if (!featuresKnown)
        {
            _device.LaunchViews();
            ComputePlainFeatures(step, images, features);
        }

        return LossesOf(_device.Run());
    }

    private void ComputeOnDevice()
    {
        _augmentedTeacher.Forward();
        ComputeLosses();
        Update(_recipe.LearningRate);  // the block has the step's own
    }

    private StepLosses LossesOf(ReadOnlySpan<float> losses) =>
        new(losses[0], _penalty is null ? 0 : losses[3], losses[1], losses[2]);
}
