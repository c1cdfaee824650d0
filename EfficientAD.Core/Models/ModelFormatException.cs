namespace EfficientAD.Models;

/// <summary>A model file, or another safetensors file, is damaged, hostile, or not what was expected.</summary>
/// <remarks>The message names the file, the tensor, both values and what to do.</remarks>
public sealed class ModelFormatException : Exception
{
    public ModelFormatException(string message) : base(message) { }

    public ModelFormatException(string message, Exception innerException) : base(message, innerException) { }
}
