using EfficientAD.Tensors;

namespace EfficientAD.Parity;

/// <summary>How far our output of a layer is from that of another implementation.</summary>
/// <param name="Layer">"teacher.conv1", ...</param>
/// <param name="Shape">Of our output.</param>
/// <param name="Maximum">Largest absolute difference; infinite where a value is not finite on one side only, or where
/// the shapes differ.</param>
/// <param name="Mean">Mean absolute difference.</param>
/// <param name="Scale">Largest finite absolute value of the other implementation's output.</param>
/// <param name="OtherShape">Of the other output, where it is not ours; else null.</param>
public sealed record LayerDifference(
    string Layer, Shape Shape, double Maximum, double Mean, double Scale, IReadOnlyList<long>? OtherShape = null)
{
    /// <summary>The largest difference in units of the largest value; what a tolerance is compared with. Infinite where
    /// <see cref="Maximum"/> is.</summary>
    public double Relative =>
        Maximum == 0 ? 0
        : double.IsFinite(Maximum) ? Maximum / Math.Max(Scale, double.Epsilon)
        : double.PositiveInfinity;

    internal static LayerDifference Between(
        string layer, Shape shape, ReadOnlySpan<float> ours, ReadOnlySpan<float> theirs)
    {
        double maximum = 0, sum = 0, scale = 0;
        for (int i = 0; i < ours.Length; i++)
        {
            double difference = ours[i].Equals(theirs[i]) ? 0 : Math.Abs((double)ours[i] - theirs[i]);
            if (double.IsNaN(difference)) difference = double.PositiveInfinity;
            maximum = Math.Max(maximum, difference);
            sum += difference;
            // A scale that is no number would make every difference count as none.
            if (float.IsFinite(theirs[i])) scale = Math.Max(scale, Math.Abs((double)theirs[i]));
        }

        return new LayerDifference(layer, shape, maximum, sum / Math.Max(1, ours.Length), scale);
    }
}
