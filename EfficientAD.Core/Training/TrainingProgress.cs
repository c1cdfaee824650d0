namespace EfficientAD.Training;

/// <summary>What a run is doing.</summary>
public enum TrainingPhase
{
    /// <summary>Teacher statistics over the training images (paper, section 3.1).</summary>
    Statistics,

    /// <summary>Optimiser steps.</summary>
    Steps,

    /// <summary>Map quantiles and threshold over good images, set aside and trained on.</summary>
    Quantiles,
}

/// <summary>How far a run is.</summary>
/// <param name="Phase">What it is doing.</param>
/// <param name="Done">Images or steps finished in this phase.</param>
/// <param name="Total">Images or steps of this phase; may shrink or grow once, when a run with a time limit has timed
/// its first steps.</param>
/// <param name="Losses">Of the last step; null outside of <see cref="TrainingPhase.Steps"/>.</param>
/// <param name="LearningRate">Of the last step; 0 outside of <see cref="TrainingPhase.Steps"/>.</param>
public readonly record struct TrainingProgress(
    TrainingPhase Phase, int Done, int Total, StepLosses? Losses = null, float LearningRate = 0);
