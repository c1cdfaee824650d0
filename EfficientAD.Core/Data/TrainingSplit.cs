namespace EfficientAD.Data;

/// <summary>Good images to learn from, and others that set the maps' scale and the threshold.</summary>
public sealed record TrainingSplit(IReadOnlyList<string> Train, IReadOnlyList<string> Validation);
