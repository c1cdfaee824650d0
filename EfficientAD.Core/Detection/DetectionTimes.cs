namespace EfficientAD.Detection;

/// <summary>How long the parts of one detection took; on a CUDA device by the device's own clock. All zero where
/// nothing was computed, because the picture showed a fault.</summary>
/// <param name="Preprocess">Upload, where there is one, and from pixels to the networks' input.</param>
/// <param name="Compute">The networks, to both maps.</param>
/// <param name="Download">Combination, resize, score, and to where the caller reads them.</param>
public readonly record struct DetectionTimes(TimeSpan Preprocess, TimeSpan Compute, TimeSpan Download);
