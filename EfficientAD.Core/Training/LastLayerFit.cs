using System.Numerics.Tensors;
using EfficientAD.Backends;
using EfficientAD.Detection;
using EfficientAD.Tensors;
using Tensor = EfficientAD.Tensors.Tensor;

namespace EfficientAD.Training;

/// <summary>How the student's last layer is solved for.</summary>
/// <param name="Ridge">What the mean square of its weights costs, in units of the mean variance of good patches' values.</param>
/// <param name="Penalty">What its mean square on patches of penalty images costs beside the mean square error on good
/// ones.</param>
public readonly record struct StudentFit(double Ridge, double Penalty);

/// <summary>Finds the weights of a last layer by least squares, where training would take thousands of steps: the layer is
/// linear, so its error on good patches, its answers on penalty patches (paper, section 3.2) and its weights are one
/// quadratic form, with one minimum.</summary>
/// <remarks>With the teacher's own hidden layers below it, an unconstrained student would be the teacher. The two costs decide
/// what it does not learn: directions in which good patches hardly vary, and those in which other images vary more.</remarks>
internal sealed class LastLayerFit
{
    private const int ChunkSide = 32;  // patches go to the backend as planes of 32 x 32
    private const double SmallestShare = 1e-6;

    private readonly IBackend _backend;
    private readonly PatchSample _good;
    private readonly double[] _mean;
    private readonly int[] _rows;

    /// <summary>Covariance of the good patches, in the rows that vary, and the same of the penalty's around their mean.</summary>
    private readonly double[] _covariance;
    private readonly double[]? _penalty;

    /// <param name="good">Patches of good images.</param>
    /// <param name="penalty">Patches of images from elsewhere; null where nothing is to be punished.</param>
    public LastLayerFit(IBackend backend, PatchSample good, PatchSample? penalty)
    {
        (_backend, _good) = (backend, good);
        _mean = new double[good.Length];
        var variance = new double[good.Length];
        for (int row = 0; row < good.Length; row++)
        {
            ReadOnlySpan<float> values = good.Values.AsSpan(row * good.Count, good.Count);
            foreach (float value in values) _mean[row] += value;
            _mean[row] /= good.Count;
            foreach (float value in values) variance[row] += (value - _mean[row]) * (value - _mean[row]);
            variance[row] /= good.Count;
        }

        // A value that is the same in all good patches tells nothing about them: its weights are zero.
        double smallest = SmallestShare * variance.Average();
        _rows = [.. Enumerable.Range(0, good.Length).Where(row => variance[row] > smallest)];
        if (_rows.Length == 0) throw new InvalidOperationException("The training images do not differ anywhere. Are they blank?");
        _covariance = Moments(good, null, 0);
        if (penalty is not null) _penalty = Moments(penalty, null, 0);
    }

    /// <summary>Writes the weights that answer best.</summary>
    /// <param name="answers">[o, count of good patches].</param>
    /// <param name="weights">[o, c, k, k]; c may exceed the patches', whose further weights become zero.</param>
    /// <param name="bias">[1, o, 1, 1].</param>
    public void Solve(float[] answers, StudentFit fit, Tensor weights, Tensor bias)
    {
        int outputs = weights.Shape.N, size = _rows.Length;
        var system = (double[])_covariance.Clone();
        double trace = 0;
        for (int i = 0; i < size; i++) trace += system[i * size + i];
        if (_penalty is not null)
            for (int i = 0; i < system.Length; i++) system[i] += fit.Penalty * _penalty[i];
        for (int i = 0; i < size; i++) system[i * size + i] += fit.Ridge * trace / size;
        var factor = new CholeskyFactor(system, size);

        double[] answerMean = [.. Enumerable.Range(0, outputs).Select(o => Mean(answers.AsSpan(o * _good.Count, _good.Count)))];
        double[] sides = Moments(_good, answers, outputs);
        var values = new float[weights.Shape.Count];
        var biasValues = new float[outputs];
        for (int o = 0; o < outputs; o++)
        {
            Span<double> solution = sides.AsSpan(o * size, size);
            factor.Solve(solution);
            double atMean = 0;
            for (int i = 0; i < size; i++)
            {
                values[o * weights.Shape.SampleCount + _rows[i]] = (float)solution[i];
                atMean += solution[i] * _mean[_rows[i]];
            }

            biasValues[o] = (float)(answerMean[o] - atMean);
        }

        _backend.Upload(values, weights);
        _backend.Upload(biasValues, bias);
    }

    /// <summary>Means over the patches of the products of their values (less the good ones' mean, which makes the means of
    /// the answers irrelevant) with each other, or of <paramref name="answers"/> with them: [size or outputs, size].</summary>
    private double[] Moments(PatchSample sample, float[]? answers, int outputs)
    {
        const int chunk = ChunkSide * ChunkSide;
        int size = _rows.Length, rows = answers is null ? size : outputs;
        using Tensor right = _backend.Allocate(new Shape(1, size, ChunkSide, ChunkSide));
        using Tensor? separate = answers is null ? null : _backend.Allocate(new Shape(1, outputs, ChunkSide, ChunkSide));
        using Tensor sums = _backend.Allocate(new Shape(rows, size, 1, 1));
        var rightValues = new float[right.Shape.Count];
        var leftValues = new float[separate?.Shape.Count ?? 0];
        for (int first = 0; first < sample.Count; first += chunk)
        {
            int count = Math.Min(chunk, sample.Count - first);
            for (int i = 0; i < size; i++)
            {
                float mean = (float)_mean[_rows[i]];
                Span<float> row = rightValues.AsSpan(i * chunk, chunk);
                TensorPrimitives.Subtract(sample.Values.AsSpan(_rows[i] * sample.Count + first, count), mean, row);
                row[count..].Clear();
            }

            _backend.Upload(rightValues, right);
            for (int o = 0; o < outputs; o++)
            {
                Span<float> row = leftValues.AsSpan(o * chunk, chunk);
                answers.AsSpan(o * sample.Count + first, count).CopyTo(row);
                row[count..].Clear();
            }

            if (separate is not null) _backend.Upload(leftValues, separate);

            // The weight gradient of a 1 x 1 convolution is such a sum of products.
            _backend.Convolution2dWeightGradient(right, separate ?? right, Convolution2dGeometry.Valid, sums, null);
        }

        return [.. _backend.Download(sums).Select(value => (double)value / sample.Count)];
    }

    private static double Mean(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += value;
        return sum / values.Length;
    }
}
