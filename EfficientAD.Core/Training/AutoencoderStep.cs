using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>A step of the autoencoder alone, where the student is solved for: plain images, whose teacher features are
/// known, so that it costs a small part of a <see cref="TrainingStep"/>.</summary>
internal sealed class AutoencoderStep : IDisposable
{
    private readonly IBackend _backend;
    private readonly Recipe _recipe;
    private readonly StepDraws _draws;
    private readonly NetworkInput _input;
    private readonly AdamTensors[] _parameters;
    private readonly Tensor _images, _autoencoderImages, _features;
    private readonly Tape _teacher, _tape;
    private readonly Variable _loss;
    private int _step;

    /// <param name="height">Of the teacher's input in pixels.</param>
    /// <param name="width">Of the teacher's input in pixels.</param>
    public AutoencoderStep(Recipe recipe, StepDraws draws, DetectionNetworks networks, NetworkInput input, int height, int width)
    {
        (_backend, _recipe, _draws, _input) = (networks.Backend, recipe, draws, input);
        _parameters = [.. networks.Autoencoder.Parameters.Select(parameter => parameter.ForAdam)];
        (_teacher, _tape) = (new Tape(_backend), new Tape(_backend));
        _images = _teacher.Allocate(new Shape(recipe.BatchSize, 3, height, width));
        _autoencoderImages = _tape.Allocate(new Shape(recipe.BatchSize, 3, Autoencoder.InputSize, Autoencoder.InputSize));
        Variable features = networks.Teacher.Forward(_teacher, Variable.Constant(_images));
        _features = features.Value;
        Variable target = _tape.NormalizeChannels(features, networks.Mean, networks.Deviation);
        Variable predicted = networks.Autoencoder.Predict(
            _tape, Variable.Constant(_autoencoderImages), recipe.Padded, _features.Shape.H, _features.Shape.W,
            layer => draws.Dropout(_step, layer));
        _loss = _tape.MeanSquaredError(target, predicted);
    }

    /// <summary>Draws images, runs forward and backward, and lets Adam move the autoencoder.</summary>
    /// <param name="step">From 0.</param>
    /// <param name="features">Teacher features of plain images, from earlier steps.</param>
    /// <returns>The loss before the update; the student's are zero.</returns>
    public StepLosses Run(int step, float learningRate, ImageSet images, FeatureCache features)
    {
        _step = step;
        DrawImages(images, features);
        _tape.Forward();
        _tape.Backward(_loss);
        _backend.Adam(_parameters, new AdamSettings(learningRate, _recipe.WeightDecay), step + 1);

        Span<float> loss = stackalloc float[1];
        _backend.Download(_loss.Value, loss);
        return new StepLosses(0, 0, loss[0], 0);
    }

    public void Dispose()
    {
        _teacher.Dispose();
        _tape.Dispose();
    }

    private void DrawImages(ImageSet images, FeatureCache features)
    {
        int batch = _recipe.BatchSize;
        bool featuresKnown = true;
        for (int b = 0; b < batch; b++)
        {
            int index = _draws.ImageIndex((long)_step * batch + b, images.Count);
            Tensor view = _autoencoderImages.Samples(b, 1);
            _input.Write(images[index].View, ColourAdjustment.None, view);
            featuresKnown &= features.TryRead(index, _backend, _features.Samples(b, 1));
        }

        if (featuresKnown) return;
        for (int b = 0; b < batch; b++)
        {
            Tensor view = _images.Samples(b, 1);
            RgbImage image = images[_draws.ImageIndex((long)_step * batch + b, images.Count)];
            _input.Write(image.View, ColourAdjustment.None, view);
        }

        _teacher.Forward();
    }
}
