namespace EfficientAD.Native;

/// <summary>The CUDA driver is missing, or a call to it failed; the message names the function and the error.</summary>
public sealed class CudaException(string message) : Exception(message);
