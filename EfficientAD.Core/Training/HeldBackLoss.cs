using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>The hard-feature loss of good images that the student does not learn from: the upper tail of the local map
/// where it causes false alarms. It needs no defect, and stops falling when the student has learned what good parts
/// share.</summary>
internal sealed class HeldBackLoss : IDisposable
{
    private const int MostImages = 8;  // each costs a teacher and half a student

    private readonly IBackend _backend;
    private readonly NetworkInput _input;
    private readonly Tape _tape;
    private readonly Tensor _image;
    private readonly Variable _loss;
    private readonly ImageSet _images;

    /// <param name="images">Good ones that are not trained on; a few of them are looked at.</param>
    public HeldBackLoss(DetectionNetworks networks, Recipe recipe, NetworkInput input, ImageSet images)
    {
        (_backend, _input, _images) = (networks.Backend, input, images.Some(MostImages));
        _tape = new Tape(_backend);
        _image = _tape.Allocate(new Shape(1, 3, input.Height, input.Width));
        Variable image = Variable.Constant(_image);
        Variable features = networks.Teacher.Forward(_tape, image);
        Variable target = _tape.NormalizeChannels(features, networks.Mean, networks.Deviation);
        _loss = _tape.HardFeatureLoss(
            target, networks.Student.TeacherHalf(_tape, networks.Student.Hidden(_tape, image)), recipe.HardQuantile);
    }

    /// <summary>The mean over the images, of the networks as they are now.</summary>
    public float Measure()
    {
        float sum = 0;
        Span<float> value = stackalloc float[1];
        for (int i = 0; i < _images.Count; i++)
        {
            _input.Write(_images[i].View, ColourAdjustment.None, _image);
            _tape.Forward();
            _backend.Download(_loss.Value, value);
            sum += value[0];
        }

        return sum / _images.Count;
    }

    public void Dispose() => _tape.Dispose();
}
