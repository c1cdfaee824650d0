namespace EfficientAD.Detection;

/// <summary>What the detector says of an image by both maps, and what it would say by one of them: what each
/// contributes. Scores and maps of one branch have no threshold; verdict and calibrated score are those of
/// both.</summary>
/// <param name="Both">As <see cref="AnomalyDetector.Detect(Imaging.ImageView)"/> gives it.</param>
/// <param name="Local">By the local map alone: teacher against student.</param>
/// <param name="Global">By the global map alone: autoencoder against student.</param>
public readonly record struct BranchResults(DetectionResult Both, DetectionResult Local, DetectionResult Global)
{
    /// <summary>An image that cannot be judged.</summary>
    public static BranchResults Invalid(string reason)
    {
        DetectionResult result = DetectionResult.Invalid(reason);
        return new(result, result, result);
    }
}
