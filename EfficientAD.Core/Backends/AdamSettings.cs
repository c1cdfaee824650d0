namespace EfficientAD.Backends;

/// <summary>Adam with L2 weight decay added to the gradient (not AdamW). Defaults are the paper's.</summary>
/// <param name="LearningRate">Step size.</param>
/// <param name="WeightDecay">Times the parameter, added to the gradient.</param>
public readonly record struct AdamSettings(float LearningRate = 1e-4f, float WeightDecay = 1e-5f)
{
    // Double: 1 - 0.999f is off by 1e-5 of itself, and so would be every bias correction of the first steps.
    public const double Beta1 = 0.9;
    public const double Beta2 = 0.999;
    public const float Epsilon = 1e-8f;
}
