namespace EfficientAD.Distillation;

/// <summary>What a distillation is doing.</summary>
public enum DistillationPhase
{
    /// <summary>Channel means and standard deviations of the targets.</summary>
    Statistics,

    /// <summary>Targets of the held-back images.</summary>
    HeldBack,

    /// <summary>Optimiser steps.</summary>
    Steps,
}

/// <summary>How far a distillation is.</summary>
/// <param name="Done">Views or steps finished in this phase.</param>
/// <param name="Total">Of this phase; in a run with a time limit it follows the pace.</param>
/// <param name="Loss">Mean squared error of the last step, in units of the targets' variance; NaN outside of the
/// steps.</param>
/// <param name="HeldBackLoss">The same of the averaged weights over the held-back images, last measured; NaN
/// before.</param>
/// <param name="LearningRate">Of the last step.</param>
public readonly record struct DistillationProgress(
    DistillationPhase Phase, int Done, int Total,
    float Loss = float.NaN, float HeldBackLoss = float.NaN, float LearningRate = 0);

/// <summary>One point of the loss curve.</summary>
/// <param name="Step">Steps taken.</param>
/// <param name="Loss">Mean over the steps since the last point.</param>
/// <param name="HeldBackLoss">Of the averaged weights over the held-back images.</param>
public readonly record struct DistillationPoint(int Step, float Loss, float HeldBackLoss);

/// <summary>What a distillation came to.</summary>
/// <param name="Steps">Steps taken.</param>
/// <param name="HeldBackLoss">Of the teacher that was written.</param>
/// <param name="Curve">The losses over the whole run.</param>
public sealed record DistillationResult(int Steps, float HeldBackLoss, IReadOnlyList<DistillationPoint> Curve);
