namespace EfficientAD.Training;

/// <summary>The four losses of one step (paper, section 3).</summary>
/// <param name="Hard">Teacher against student on the hardest thousandth of the features.</param>
/// <param name="Penalty">Mean square of the student on an image from elsewhere; 0 when switched off.</param>
/// <param name="Autoencoder">Teacher against autoencoder.</param>
/// <param name="StudentAutoencoder">Autoencoder against the student's second half.</param>
public readonly record struct StepLosses(float Hard, float Penalty, float Autoencoder, float StudentAutoencoder)
{
    public float Total => Hard + Penalty + Autoencoder + StudentAutoencoder;
}
