using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>Mean and biased standard deviation per channel over any number of feature maps, in double, merged image by
/// image (Chan, Golub, LeVeque 1979): no difference of large sums.</summary>
public sealed class ChannelStatistics(int channels)
{
    private readonly double[] _mean = new double[channels], _squares = new double[channels];
    private readonly double[] _nextMean = new double[channels], _nextSquares = new double[channels];
    private double _count;

    /// <param name="features">[n, c, h, w].</param>
    public void Add(IBackend backend, Tensor features)
    {
        backend.ChannelMoments(features, _nextMean, _nextSquares);
        double added = (double)features.Shape.N * features.Shape.Plane, total = _count + added;
        for (int c = 0; c < _mean.Length; c++)
        {
            double difference = _nextMean[c] - _mean[c];
            _mean[c] += difference * added / total;
            _squares[c] += _nextSquares[c] + difference * difference * _count * added / total;
        }

        _count = total;
    }

    public float[] Mean() => [.. _mean.Select(value => (float)value)];

    /// <exception cref="InvalidOperationException">A channel never varies or is not finite, so that it cannot be
    /// normalised.</exception>
    public float[] Deviation()
    {
        var deviation = new float[_squares.Length];
        for (int c = 0; c < deviation.Length; c++)
        {
            deviation[c] = (float)Math.Sqrt(_squares[c] / _count);
            if (!float.IsFinite(deviation[c]) || deviation[c] <= 0)
                throw new InvalidOperationException(
                    $"Channel {c} of the teacher has standard deviation {deviation[c]} over the training images. " +
                    "Are the images blank, or is the teacher's file damaged?");
        }

        return deviation;
    }
}
