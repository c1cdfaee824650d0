using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>Gives a student the teacher's hidden layers and solves for its last one: the first half from patches seen while
/// the teacher's statistics are taken and from penalty images, the second half once the autoencoder is trained.</summary>
internal sealed class StudentSolver
{
    /// <summary>Penalty images that are looked at.</summary>
    public const int PenaltyImages = 128;

    // Several times as many patches as a patch of PDN-S has values (4,096): 16,384 of them take 270 MB.
    private const int GoodPatches = 16_384, PenaltyPatchesPerImage = 64, MostPatchesPerImage = 512;

    private readonly DetectionNetworks _networks;
    private readonly IBackend _backend;
    private readonly StudentFit _fit;
    private readonly StepDraws _draws;
    private readonly PatchSample _good;
    private readonly float[] _features;
    private readonly Shape _map;
    private readonly int _imageCount;
    private LastLayerFit? _solution;

    /// <param name="hidden">Of the input of the teacher's last layer, [1, c, h, w].</param>
    /// <param name="features">Of the teacher's output.</param>
    public StudentSolver(DetectionNetworks networks, StudentFit fit, StepDraws draws, Shape hidden, Shape features, int imageCount)
    {
        (_networks, _backend, _fit, _draws, _imageCount) = (networks, networks.Backend, fit, draws, imageCount);
        _map = features;
        int perImage = Math.Clamp(GoodPatches / imageCount, 1, MostPatchesPerImage);
        _good = new PatchSample(hidden, Kernel, imageCount, perImage, draws.Patches);
        _features = new float[(long)PatchDescriptionNetwork.TeacherChannels * _good.Count];
        networks.Student.CopyHiddenLayersFrom(networks.Teacher);
    }

    private int Kernel => _networks.Teacher.Layers[^1].Weights.Value.Shape.H;

    /// <summary>Takes patches of a good image, with the teacher's raw features.</summary>
    public void Add(int image, Tensor hidden, Tensor features)
    {
        _good.Add(image, _backend, hidden);
        _good.AddAnswers(image, _backend, features, _features);
    }

    /// <summary>Solves for the half that imitates the teacher, whose statistics are known by now.</summary>
    /// <param name="input">Shape of the networks' input.</param>
    /// <param name="prepare">Writes a penalty image into it; null where there is no penalty.</param>
    public void SolveTeacherHalf(Shape input, Action<int, Tensor>? prepare)
    {
        PatchSample? penalty = prepare is null ? null : PenaltySample(input, prepare);
        _solution = new LastLayerFit(_backend, _good, penalty);
        var (mean, deviation) = (_backend.Download(_networks.Mean), _backend.Download(_networks.Deviation));
        for (int o = 0; o < mean.Length; o++)
        {
            Span<float> row = _features.AsSpan(o * _good.Count, _good.Count);
            foreach (ref float value in row) value = (value - mean[o]) / deviation[o];
        }

        (Variable weights, Variable bias) = _networks.Student.LastLayerHalf(0);
        _solution.Solve(_features, _fit, weights.Value, bias.Value);
    }

    /// <summary>Solves for the half that imitates the autoencoder.</summary>
    /// <param name="prepare">Writes a training image into the autoencoder's input.</param>
    public void SolveAutoencoderHalf(Action<int, Tensor> prepare)
    {
        using var tape = new Tape(_backend);
        Tensor image = tape.Allocate(new Shape(1, 3, Autoencoder.InputSize, Autoencoder.InputSize));
        Variable predicted = _networks.Autoencoder.Predict(
            tape, Variable.Constant(image), _networks.Teacher.Padded, _map.H, _map.W);
        for (int i = 0; i < _imageCount; i++)
        {
            prepare(i, image);
            tape.Forward();
            _good.AddAnswers(i, _backend, predicted.Value, _features);
        }

        (Variable weights, Variable bias) = _networks.Student.LastLayerHalf(1);
        _solution!.Solve(_features, _fit with { Penalty = 0 }, weights.Value, bias.Value);
    }

    private PatchSample PenaltySample(Shape input, Action<int, Tensor> prepare)
    {
        using var tape = new Tape(_backend);
        Tensor image = tape.Allocate(input);
        Tensor hidden = _networks.Teacher.Hidden(tape, Variable.Constant(image)).Value;
        var sample = new PatchSample(hidden.Shape, Kernel, PenaltyImages, PenaltyPatchesPerImage, _draws.PenaltyPatches);
        for (int i = 0; i < PenaltyImages; i++)
        {
            prepare(i, image);
            tape.Forward();
            sample.Add(i, _backend, hidden);
        }

        return sample;
    }
}
