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
        Merge((double)features.Shape.N * features.Shape.Plane);
    }

    /// <summary>Takes some places of one feature map.</summary>
    /// <param name="features">[c, h * w].</param>
    /// <param name="places">Positions in h * w; there may be none.</param>
    public void Add(ReadOnlySpan<float> features, ReadOnlySpan<int> places)
    {
        if (places.IsEmpty) return;
        int plane = features.Length / _mean.Length;
        for (int c = 0; c < _mean.Length; c++)
        {
            ReadOnlySpan<float> channel = features.Slice(c * plane, plane);
            double sum = 0, squares = 0;
            foreach (int place in places) sum += channel[place];
            double mean = sum / places.Length;
            foreach (int place in places) squares += (channel[place] - mean) * (channel[place] - mean);
            (_nextMean[c], _nextSquares[c]) = (mean, squares);
        }

        Merge(places.Length);
    }

    private void Merge(double added)
    {
        double total = _count + added;
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
