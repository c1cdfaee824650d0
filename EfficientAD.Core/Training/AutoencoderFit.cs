using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>How much of the teacher's features the autoencoder explains on good images that were set aside: 0 if it
/// gives their mean at best, 1 if all.</summary>
/// <remarks>The global map is where student and autoencoder differ (paper, section 3.3). As long as the autoencoder
/// says the same of every image, that is the student's noise.</remarks>
internal sealed class AutoencoderFit : IDisposable
{
    private const float Least = 0.01f;  // a map has a finite scale

    private readonly NetworkInput _input;
    private readonly Tape _tape;
    private readonly Tensor _image, _autoencoderImage;
    private readonly Tensor _target, _predicted;
    private readonly bool _padded;
    private readonly float[] _targetValues, _predictedValues;
    private double _sum;
    private long _count;

    private AutoencoderFit(DetectionNetworks networks, NetworkInput input)
    {
        _input = input;
        _tape = new Tape(networks.Backend);
        _image = _tape.Allocate(new Shape(1, 3, input.Height, input.Width));
        _autoencoderImage = _tape.Allocate(new Shape(1, 3, Autoencoder.InputSize, Autoencoder.InputSize));
        Variable features = networks.Teacher.Forward(_tape, Variable.Constant(_image));
        Variable target = _tape.NormalizeChannels(features, networks.Mean, networks.Deviation);
        Shape map = target.Value.Shape;
        _padded = networks.Teacher.Padded;
        Variable predicted = networks.Autoencoder.Predict(
            _tape, Variable.Constant(_autoencoderImage), _padded, map.H, map.W);
        (_target, _predicted) = (target.Value, predicted.Value);
        (_targetValues, _predictedValues) = (new float[map.Count], new float[map.Count]);
    }

    /// <returns>Null for a recipe whose global map counts fully, or not at all.</returns>
    public static AutoencoderFit? For(Recipe recipe, DetectionNetworks networks, NetworkInput input) =>
        recipe is { WeighsGlobalMap: true, Autoencoder: true } ? new AutoencoderFit(networks, input) : null;

    /// <summary>The features have unit variance, so what the mean squared error lacks of 1 is explained. At least
    /// 0.01.</summary>
    public float Explained => MathF.Max(Least, (float)(1 - _sum / _count));

    /// <summary>Takes the places whose patches are centred on the image: a letterbox's frame is always
    /// explained.</summary>
    public void Add(ImageView image)
    {
        _input.Write(image, ColourAdjustment.None, _image);
        _input.Write(image, ColourAdjustment.None, _autoencoderImage);
        _tape.Forward();
        _tape.Backend.Download(_target, _targetValues);
        _tape.Backend.Download(_predicted, _predictedValues);
        FittedArea area = _input.AreaOf(image.Height, image.Width);
        Shape map = _target.Shape;
        foreach (int place in MapPlacement.PlacesInside(area, _padded, map.H, map.W))
        {
            _count += map.C;
            for (int i = place; i < map.Count; i += map.Plane)
            {
                float difference = _targetValues[i] - _predictedValues[i];
                _sum += difference * difference;
            }
        }
    }

    public void Dispose() => _tape.Dispose();
}
