namespace EfficientAD.Training;

/// <summary>A loss became NaN or infinite.</summary>
public sealed class TrainingDivergedException : Exception
{
    internal TrainingDivergedException(int step, StepLosses losses, string checkpointPath)
        : base($"The losses of step {step + 1} are not finite: hard {losses.Hard}, penalty {losses.Penalty}, " +
               $"autoencoder {losses.Autoencoder}, student-autoencoder {losses.StudentAutoencoder}. " +
               (File.Exists(checkpointPath) ? $"The last checkpoint, {checkpointPath}, is untouched. " : "") +
               "Look for unusual training images, or train with another seed or a smaller learning rate.")
    {
    }

    internal TrainingDivergedException(string message) : base(message)
    {
    }
}
