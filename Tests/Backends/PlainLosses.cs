using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends;

/// <summary>Quantile, maps, losses and Adam by definition, in double; the quantile sorts.</summary>
internal static class PlainLosses
{
    public static double Quantile(ReadOnlySpan<double> values, float q)
    {
        double[] sorted = values.ToArray();
        Array.Sort(sorted); // puts NaN first
        if (double.IsNaN(sorted[0])) return double.NaN;
        double position = (double)q * (sorted.Length - 1);
        int low = (int)position, high = Math.Min(low + 1, sorted.Length - 1);
        return sorted[low] + (position - low) * (sorted[high] - sorted[low]);
    }

    public static HostTensor Quantiles(HostTensor values, float q) =>
        PerSample(values, sample => Quantile(sample, q));

    public static HostTensor Maximum(HostTensor values) => PerSample(values, sample =>
    {
        double maximum = double.NegativeInfinity;
        foreach (double value in sample) maximum = Math.Max(maximum, value); // Math.Max keeps NaN
        return maximum;
    });

    public static HostTensor WeighPlaces(HostTensor maps, HostTensor weights)
    {
        var result = new HostTensor(maps.Shape);
        Shape shape = maps.Shape;
        for (int i = 0; i < result.Values.Length; i++)
        {
            (int plane, int y, int x) = (i / shape.Plane, i % shape.Plane / shape.W, i % shape.W);
            var around = new List<double>();
            for (int row = y - 1; row <= y + 1; row++)
            {
                for (int column = x - 1; column <= x + 1; column++)
                {
                    if (row < 0 || row >= shape.H || column < 0 || column >= shape.W) continue;
                    around.Add(maps[plane / shape.C, plane % shape.C, row, column] * weights[0, 0, row, column]);
                }
            }

            result.Values[i] = around.Average();
        }

        return result;
    }

    public static double MeanSquaredError(HostTensor a, HostTensor? b) => SquaredDifferences(a, b).Values.Average();

    /// <summary>The gradient for a; that for b is its negative.</summary>
    public static HostTensor MeanSquaredErrorBackward(HostTensor a, HostTensor? b, double lossGradient)
    {
        var gradient = new HostTensor(a.Shape);
        for (int i = 0; i < gradient.Values.Length; i++)
            gradient.Values[i] = lossGradient * 2 * (a.Values[i] - (b?.Values[i] ?? 0)) / gradient.Values.Length;
        return gradient;
    }

    /// <summary>The loss, each sample's threshold, and the student's gradient for a loss gradient.</summary>
    public static (double Loss, HostTensor Thresholds, HostTensor Gradient) HardFeatureLoss(
        HostTensor teacher, HostTensor student, float q, double lossGradient)
    {
        HostTensor squares = SquaredDifferences(teacher, student), gradient = new(student.Shape);
        HostTensor thresholds = Quantiles(squares, q);
        int samples = squares.Shape.N, count = (int)squares.Shape.SampleCount;
        double loss = 0;
        for (int n = 0; n < samples; n++)
        {
            double threshold = thresholds.Values[n];
            int[] hard = [.. Enumerable.Range(n * count, count).Where(i => !(squares.Values[i] < threshold))];
            loss += hard.Average(i => squares.Values[i]) / samples;
            foreach (int i in hard)
                gradient.Values[i] = lossGradient * 2 * (student.Values[i] - teacher.Values[i]) / hard.Length / samples;
        }

        return (loss, thresholds, gradient);
    }

    public static void Adam(
        HostTensor gradient, AdamSettings settings, int step,
        HostTensor firstMoment, HostTensor secondMoment, HostTensor parameter)
    {
        const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8;
        for (int i = 0; i < parameter.Values.Length; i++)
        {
            double g = gradient.Values[i] + settings.WeightDecay * parameter.Values[i];
            double m = firstMoment.Values[i] = Beta1 * firstMoment.Values[i] + (1 - Beta1) * g;
            double v = secondMoment.Values[i] = Beta2 * secondMoment.Values[i] + (1 - Beta2) * g * g;
            double mean = m / (1 - Math.Pow(Beta1, step)), variance = v / (1 - Math.Pow(Beta2, step));
            parameter.Values[i] -= settings.LearningRate * mean / (Math.Sqrt(variance) + Epsilon);
        }
    }

    /// <summary>[n, c, h, w] -> [n, 1, h, w].</summary>
    public static HostTensor SquaredDifferenceMap(HostTensor a, HostTensor b)
    {
        HostTensor squares = SquaredDifferences(a, b);
        var map = new HostTensor(a.Shape with { C = 1 });
        for (int i = 0; i < squares.Values.Length; i++)
        {
            int sample = i / (int)a.Shape.SampleCount, pixel = i % a.Shape.Plane;
            map.Values[sample * a.Shape.Plane + pixel] += squares.Values[i] / a.Shape.C;
        }

        return map;
    }

    private static HostTensor SquaredDifferences(HostTensor a, HostTensor? b)
    {
        var squares = new HostTensor(a.Shape);
        for (int i = 0; i < squares.Values.Length; i++)
        {
            double difference = a.Values[i] - (b?.Values[i] ?? 0);
            squares.Values[i] = difference * difference;
        }

        return squares;
    }

    private delegate double SampleFunction(ReadOnlySpan<double> values);

    private static HostTensor PerSample(HostTensor values, SampleFunction function)
    {
        var result = new HostTensor(new Shape(values.Shape.N, 1, 1, 1));
        int count = (int)values.Shape.SampleCount;
        for (int n = 0; n < values.Shape.N; n++) result.Values[n] = function(values.Values.AsSpan(n * count, count));
        return result;
    }
}
