namespace EfficientAD.Backends;

/// <summary>Adam with L2 weight decay added to the gradient (not AdamW). Defaults are the paper's.</summary>
/// <param name="LearningRate">Step size.</param>
/// <param name="WeightDecay">Times the parameter, added to the gradient.</param>
public readonly record struct AdamSettings(float LearningRate = 1e-4f, float WeightDecay = 1e-5f)
{
    public const float Beta1 = 0.9f;
    public const float Beta2 = 0.999f;
    public const float Epsilon = 1e-8f;
}
