using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>One optimiser step of EfficientAD (paper, algorithm 1), with fixed shapes and buffers, recorded
/// once.</summary>
/// <remarks>
/// Exact savings that published implementations leave: the three images of the student are one batch through all layers
/// but the last; of the last layer each pass computes the half that its loss uses; the teacher's features of a plain
/// image never change and come from a <see cref="FeatureCache"/>; the hard-feature loss's sparse gradient is the
/// backend's affair.
/// </remarks>
public sealed partial class TrainingStep : IDisposable
{
    private readonly IBackend _backend;
    private readonly Recipe _recipe;
    private readonly StepDraws _draws;
    private readonly NetworkInput _input;
    private readonly AdamTensors[] _parameters;
    private readonly Tensor _images, _plainFeatures;
    private readonly Tensor? _autoencoderImages;
    private readonly Tape _plainTeacher, _augmentedTeacher, _tape;
    private readonly Variable _hard, _total;
    private readonly Variable? _penalty, _autoencoder, _studentAutoencoder;
    private StepLosses _lastLosses;

    /// <param name="networks">Student and autoencoder get gradients and steps; their backend computes.</param>
    /// <param name="height">Of the networks' input in pixels.</param>
    /// <param name="width">Of the networks' input in pixels.</param>
    public TrainingStep(
        DetectionNetworks networks, Recipe recipe, StepDraws draws, int height, int width,
        ImageFit fit = ImageFit.Squash)
    {
        IBackend backend = networks.Backend;
        (PatchDescriptionNetwork teacher, PatchDescriptionNetwork student) = (networks.Teacher, networks.Student);
        Autoencoder autoencoder = networks.Autoencoder;
        (_backend, _recipe, _draws) = (backend, recipe, draws);
        _input = new NetworkInput(backend, fit, height, width);
        IEnumerable<Parameter> parameters = student.Parameters;
        if (recipe.Autoencoder) parameters = parameters.Concat(autoencoder.Parameters);
        _parameters = [.. parameters.Select(parameter => parameter.ForAdam)];
        int batch = recipe.BatchSize, views = 1 + (recipe.Autoencoder ? 1 : 0) + (recipe.Penalty ? 1 : 0);
        _images = backend.Allocate(new Shape(views * batch, 3, height, width));
        (_plainTeacher, _augmentedTeacher, _tape) = (new Tape(backend), new Tape(backend), new Tape(backend));

        // The batch: plain images, augmented images where there is an autoencoder, penalty images where there is a
        // penalty.
        Variable images = Variable.Constant(_images), plain = images.Samples(0, batch);
        Variable plainFeatures = teacher.Forward(_plainTeacher, plain);
        _plainFeatures = plainFeatures.Value;
        Variable plainTarget = _tape.NormalizeChannels(plainFeatures, networks.Mean, networks.Deviation);
        (int First, int Count, int Half)[] passes =
        [
            (0, batch, 0),
            .. recipe.Autoencoder ? new[] { (batch, batch, 1) } : [],
            .. recipe.Penalty ? new[] { ((views - 1) * batch, batch, 0) } : [],
        ];
        Variable[] imitated = student.Halves(_tape, images, passes);
        _hard = _tape.HardFeatureLoss(plainTarget, imitated[0], recipe.HardQuantile);
        if (recipe.Penalty) _penalty = _tape.MeanSquare(imitated[^1]);
        if (!recipe.Autoencoder)
        {
            _total = _penalty is null ? _tape.Sum(_hard) : _tape.Sum(_hard, _penalty);
            return;
        }

        Variable augmented = images.Samples(batch, batch);
        bool sameSize = height == Autoencoder.InputSize && width == Autoencoder.InputSize;
        _autoencoderImages = sameSize
            ? augmented.Value
            : _tape.Allocate(new Shape(batch, 3, Autoencoder.InputSize, Autoencoder.InputSize));
        Variable augmentedTarget = _tape.NormalizeChannels(
            teacher.Forward(_augmentedTeacher, augmented), networks.Mean, networks.Deviation);
        Shape map = plainTarget.Value.Shape;
        Variable predicted = autoencoder.Predict(
            _tape, Variable.Constant(_autoencoderImages), recipe.Padded, map.H, map.W,
            recipe.Dropout ? layer => draws.Dropout(Step, layer) : null);
        _autoencoder = _tape.MeanSquaredError(augmentedTarget, predicted);
        _studentAutoencoder = _tape.MeanSquaredError(predicted, imitated[1]);
        _total = _penalty is null
            ? _tape.Sum(_hard, _autoencoder, _studentAutoencoder)
            : _tape.Sum(_hard, _penalty, _autoencoder, _studentAutoencoder);
        // A device squashes images itself.
        if (backend is CudaBackend cuda && fit == ImageFit.Squash) _device = OnDevice(cuda);
    }

    /// <summary>Inputs of the step: [views * batch, 3, h, w], plain images, augmented ones, penalty images.</summary>
    internal Tensor Images => _images;

    /// <summary>From 0: which dropout masks the gradients and which bias correction the update takes.</summary>
    internal int Step { get; set; }

    /// <summary>Draws the step's images, runs forward and backward, and lets Adam move student and
    /// autoencoder.</summary>
    /// <param name="step">From 0.</param>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="features">Teacher features of plain images, from earlier steps.</param>
    /// <returns>The losses before the update; on a CUDA device, which works on while the host goes on, those of a few
    /// steps before.</returns>
    public StepLosses Run(int step, float learningRate, ImageSet images, ImageSet? penaltyImages, FeatureCache features)
    {
        if (_device is not null) return RunOnDevice(step, learningRate, images, penaltyImages, features);
        Step = step;
        DrawImages(images, penaltyImages, features);
        _augmentedTeacher.Forward();
        _lastLosses = ComputeGradients();
        Update(learningRate);
        return _lastLosses;
    }

    /// <summary>The losses of the last step; on a CUDA device it is waited for.</summary>
    public StepLosses LastLosses => _device is { HasRun: true } ? LossesOf(_device.AwaitLosses()) : _lastLosses;

    /// <summary>Runs the teacher on the plain images, too.</summary>
    internal void ComputeTeacher()
    {
        _plainTeacher.Forward();
        _augmentedTeacher.Forward();
    }

    /// <summary>Forward and backward from the teacher's features on.</summary>
    internal StepLosses ComputeGradients()
    {
        ComputeLosses();
        return new StepLosses(Read(_hard), Read(_penalty), Read(_autoencoder), Read(_studentAutoencoder));
    }

    private void ComputeLosses()
    {
        _tape.Forward();
        _tape.Backward(_total);
    }

    internal void Update(float learningRate) =>
        _backend.Adam(_parameters, new AdamSettings(learningRate, _recipe.WeightDecay), Step + 1);

    public void Dispose()
    {
        _device?.Dispose();
        _plainTeacher.Dispose();
        _augmentedTeacher.Dispose();
        _tape.Dispose();
        _images.Dispose();
    }

    private void DrawImages(ImageSet images, ImageSet? penaltyImages, FeatureCache features)
    {
        int batch = _recipe.BatchSize;
        bool featuresKnown = true;
        for (int b = 0; b < batch; b++)
        {
            long sample = (long)Step * batch + b;
            int index = _draws.ImageIndex(sample, images.Count);
            RgbImage image = images[index];
            Preprocess(image, ColourAdjustment.None, _images.Samples(b, 1));
            featuresKnown &= features.TryRead(index, _backend, _plainFeatures.Samples(b, 1));

            if (_autoencoderImages is not null)
            {
                ColourAdjustment jitter = _draws.Jitter(sample);
                Preprocess(image, jitter, _images.Samples(batch + b, 1));
                if (HasAutoencoderImages) Preprocess(image, jitter, _autoencoderImages.Samples(b, 1));
            }

            if (!_recipe.Penalty) continue;
            (int penaltyIndex, ColourAdjustment adjustment) = _draws.Penalty(sample, penaltyImages!.Count);
            penaltyImages.Prepare(penaltyIndex, adjustment, _backend, _images.Samples(_images.Shape.N - batch + b, 1));
        }

        if (!featuresKnown) ComputePlainFeatures(Step, images, features);
    }

    private void ComputePlainFeatures(int step, ImageSet images, FeatureCache features)
    {
        int batch = _recipe.BatchSize;
        _plainTeacher.Forward();
        for (int b = 0; b < batch; b++)
        {
            int index = _draws.ImageIndex((long)step * batch + b, images.Count);
            features.Keep(index, _backend, _plainFeatures.Samples(b, 1));
        }
    }

    private void Preprocess(RgbImage image, ColourAdjustment adjustment, Tensor output) =>
        _input.Write(image.View, adjustment, output);

    /// <summary>0 where the recipe does not have the loss.</summary>
    private float Read(Variable? loss)
    {
        if (loss is null) return 0;
        Span<float> value = stackalloc float[1];
        _backend.Download(loss.Value, value);
        return value[0];
    }
}
