using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>The CUDA driver or one of its libraries is missing, or a call to it failed. The message says which
/// function failed and how, what that means, and what can be done.</summary>
public sealed class CudaException : Exception
{
    public CudaException(string message) : base(message)
    {
    }

    internal CudaException(string function, CudaResult result, string name, string meaning, string? details)
        : base(Compose(function, (int)result, name, meaning, details, result.Remedy()))
    {
        (Function, Code, Name) = (function, (int)result, name);
        IsContextLost = result.LosesContext();
        IsOutOfMemory = result == CudaResult.OutOfMemory;
    }

    /// <summary>A library beside the driver failed.</summary>
    internal CudaException(string function, int code, string name, string? remedy)
        : base(Compose(function, code, name, "", null, remedy)) => (Function, Code, Name) = (function, code, name);

    /// <summary>The native function; null where it was our own check that failed.</summary>
    public string? Function { get; }

    /// <summary>What the function returned; 0 where it was our own check that failed.</summary>
    public int Code { get; }

    /// <summary>CUDA_ERROR_ILLEGAL_ADDRESS, for instance; null where it was our own check that failed.</summary>
    public string? Name { get; }

    /// <summary>Work on the device failed so that the context, and all memory and modules in it, can no longer be used
    /// by anyone. Nothing but a new process (or a new context that is not the primary one) helps.</summary>
    public bool IsContextLost { get; }

    /// <summary>Less memory would do.</summary>
    public bool IsOutOfMemory { get; }

    /// <summary>cuLaunchKernel failed with CUDA_ERROR_X (1): meaning. Details. Remedy.</summary>
    private static string Compose(
        string function, int code, string name, string meaning, string? details, string? remedy)
    {
        string failure = $"{function} failed with {name} ({code})";
        if (meaning != "") failure += $": {meaning}";
        failure += ".";
        if (!string.IsNullOrEmpty(details)) failure += $" {details}";
        return remedy is null ? failure : $"{failure} {remedy}";
    }
}
