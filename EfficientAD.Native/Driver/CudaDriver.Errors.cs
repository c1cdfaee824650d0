using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EfficientAD.Native.Driver;

internal sealed partial class CudaDriver
{
    /// <param name="call">Names the native function in the message.</param>
    /// <exception cref="CudaException">The call did not succeed.</exception>
    public void ThrowIfFailed(CudaResult result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result != CudaResult.Success) Throw(result, call, details: null);
    }

    /// <param name="details">What the caller knows of the failure: a sentence, or lines of a log.</param>
    [DoesNotReturn]
    public void Throw(CudaResult result, string call, string? details)
    {
        (string name, string meaning) = Describe(result);
        throw new CudaException(FunctionOf(call), result, name, meaning, details);
    }

    /// <summary>cuInit of "driver.cuInit(0)".</summary>
    internal static string FunctionOf(string call)
    {
        int arguments = call.IndexOf('(');
        return arguments < 0 ? call : call[(call.LastIndexOf('.', arguments) + 1)..arguments];
    }

    /// <summary>The driver's own name and description of an error.</summary>
    private unsafe (string Name, string Meaning) Describe(CudaResult result)
    {
        byte* name, meaning;
        bool isKnown = cuGetErrorName(result, &name) == CudaResult.Success;
        bool isDescribed = cuGetErrorString(result, &meaning) == CudaResult.Success;
        return (isKnown ? Marshal.PtrToStringUTF8((nint)name)! : "an unknown error",
            isDescribed ? Marshal.PtrToStringUTF8((nint)meaning)! : "");
    }
}
