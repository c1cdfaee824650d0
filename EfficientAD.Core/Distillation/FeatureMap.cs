namespace EfficientAD.Distillation;

/// <summary>Features of one image on the host.</summary>
/// <param name="Values">[channels, height, width].</param>
public sealed record FeatureMap(int Channels, int Height, int Width, ReadOnlyMemory<float> Values)
{
    public override string ToString() => $"[{Channels}, {Height}, {Width}]";
}
