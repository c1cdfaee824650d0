using EfficientAD.Tensors;

namespace EfficientAD.Backends;

/// <summary>Reads whole tensors into arrays of their own.</summary>
internal static class TensorReading
{
    /// <summary>Waits for all work on a tensor.</summary>
    /// <returns>Its values, in the host's memory.</returns>
    public static float[] Download(this IBackend backend, Tensor tensor)
    {
        var values = new float[tensor.Shape.Count];
        backend.Download(tensor, values);
        return values;
    }
}
