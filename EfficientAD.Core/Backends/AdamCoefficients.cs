namespace EfficientAD.Backends;

/// <summary>What of a step of Adam does not depend on the parameter, computed in double and rounded once.</summary>
/// <param name="step">1 for the first step.</param>
internal readonly struct AdamCoefficients(AdamSettings settings, int step)
{
    public float WeightDecay { get; } = settings.WeightDecay;

    public float Beta1 { get; } = (float)AdamSettings.Beta1;

    /// <summary>1 - beta1.</summary>
    public float Rest1 { get; } = (float)(1 - AdamSettings.Beta1);

    public float Beta2 { get; } = (float)AdamSettings.Beta2;

    /// <summary>1 - beta2.</summary>
    public float Rest2 { get; } = (float)(1 - AdamSettings.Beta2);

    /// <summary>Divides the square root of the second moment, which starts at zero.</summary>
    public float Correction2 { get; } = (float)Math.Sqrt(1 - Math.Pow(AdamSettings.Beta2, step));

    /// <summary>The learning rate, over the correction of the first moment.</summary>
    public float StepSize { get; } = (float)(settings.LearningRate / (1 - Math.Pow(AdamSettings.Beta1, step)));
}
