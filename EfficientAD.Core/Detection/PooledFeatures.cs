using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Detection;

/// <summary>The means over the whole image of the features by which a student imitates the teacher: a description of
/// the image that no single place decides.</summary>
/// <remarks>Layer by layer, beside the maps: it costs a student's hidden layers and half of its last one
/// again.</remarks>
internal sealed class PooledFeatures : IDisposable
{
    private readonly IBackend _backend;
    private readonly Tape _tape;
    private readonly Tensor _features;
    private readonly double[] _mean, _squares;

    /// <param name="student">Frozen.</param>
    /// <param name="height">Of the networks' input in pixels.</param>
    /// <param name="width">Of the networks' input in pixels.</param>
    public PooledFeatures(IBackend backend, PatchDescriptionNetwork student, int height, int width)
    {
        _backend = backend;
        _tape = new Tape(backend);
        Image = _tape.Allocate(new Shape(1, 3, height, width));
        _features = student.TeacherHalf(_tape, student.Hidden(_tape, Variable.Constant(Image))).Value;
        (_mean, _squares) = (new double[_features.Shape.C], new double[_features.Shape.C]);
    }

    /// <summary>The networks' input, [1, 3, h, w]; to be written before <see cref="Compute"/>.</summary>
    public Tensor Image { get; }

    /// <returns>One value per channel; overwritten by the next call.</returns>
    public ReadOnlySpan<double> Compute()
    {
        _tape.Forward();
        _backend.ChannelMoments(_features, _mean, _squares);
        return _mean;
    }

    public void Dispose() => _tape.Dispose();
}
