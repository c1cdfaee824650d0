namespace EfficientAD.Training;

/// <summary>How the learning rate changes over a run.</summary>
public enum LearningRateSchedule
{
    /// <summary>Constant, a tenth in the last 5 % of the steps (paper, appendix).</summary>
    StepAt95Percent,

    /// <summary>Rises linearly over the first 5 %, then falls along half a cosine to a hundredth: best for few
    /// steps.</summary>
    WarmUpCosine,
}
