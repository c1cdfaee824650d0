using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace PtxSimulator.Driver;

/// <summary>The names and sentences behind cuGetErrorName and cuGetErrorString, as text of C.</summary>
internal static class ErrorTexts
{
    private static readonly ConcurrentDictionary<string, nint> Native = new();

    private static readonly Dictionary<DriverError, string> Sentences = new()
    {
        [DriverError.Success] = "no error",
        [DriverError.InvalidValue] = "invalid argument",
        [DriverError.OutOfMemory] = "out of memory",
        [DriverError.NotInitialized] = "initialization error",
        [DriverError.InvalidDevice] = "invalid device ordinal",
        [DriverError.InvalidImage] = "device kernel image is invalid",
        [DriverError.InvalidContext] = "invalid device context",
        [DriverError.NoBinaryForGpu] = "no kernel image is available for execution on the device",
        [DriverError.InvalidPtx] = "a PTX JIT compilation failed",
        [DriverError.UnsupportedPtxVersion] = "the provided PTX was compiled with an unsupported toolchain",
        [DriverError.InvalidHandle] = "invalid resource handle",
        [DriverError.IllegalState] = "the operation cannot be performed in the present state",
        [DriverError.NotFound] = "named symbol not found",
        [DriverError.NotReady] = "device not ready",
        [DriverError.IllegalAddress] = "an illegal memory access was encountered",
        [DriverError.LaunchOutOfResources] = "too many resources requested for launch",
        [DriverError.LaunchTimeout] = "the launch timed out and was terminated",
        [DriverError.ContextIsDestroyed] = "context is destroyed",
        [DriverError.HostMemoryAlreadyRegistered] = "part or all of the requested memory range is already mapped",
        [DriverError.HostMemoryNotRegistered] = "pointer does not correspond to a registered memory region",
        [DriverError.IllegalInstruction] = "an illegal instruction was encountered",
        [DriverError.MisalignedAddress] = "misaligned address",
        [DriverError.LaunchFailed] = "unspecified launch failure",
        [DriverError.NotPermitted] = "operation not permitted",
        [DriverError.NotSupported] = "operation not supported",
        [DriverError.StreamCaptureUnsupported] = "operation not permitted when stream is capturing",
        [DriverError.StreamCaptureInvalidated] = "operation failed due to a previous error during capture",
        [DriverError.StreamCaptureMerge] = "operation would result in a merge of separate capture sequences",
        [DriverError.StreamCaptureUnmatched] = "capture was not ended in the same stream as it began",
        [DriverError.StreamCaptureUnjoined] = "capturing stream has unjoined work",
        [DriverError.StreamCaptureIsolation] = "dependency created on uncaptured work in another stream",
        [DriverError.StreamCaptureImplicit] = "operation would make the legacy stream depend on a capturing stream",
        [DriverError.CapturedEvent] = "operation not permitted on an event last recorded in a capturing stream",
        [DriverError.StreamCaptureWrongThread] = "attempt to terminate a thread-local capture from another thread",
        [DriverError.GraphExecUpdateFailure] = "the graph update was not performed because it included changes",
        [DriverError.Unknown] = "unknown error",
    };

    /// <summary>CUDA_ERROR_INVALID_VALUE, for instance; 0 for a number that is no error.</summary>
    public static nint Name(DriverError error) => !Sentences.ContainsKey(error) ? 0
        : Intern(error == DriverError.Success ? "CUDA_SUCCESS" : "CUDA_ERROR_" + UpperSnakeCase(error.ToString()));

    /// <summary>The driver's sentence and, where the simulator knows more, what it knows.</summary>
    public static nint Sentence(DriverError error, string? diagnosis) =>
        !Sentences.TryGetValue(error, out string? sentence) ? 0
        : Intern(diagnosis is null ? sentence : $"{sentence}: {diagnosis}");

    /// <summary>The driver's strings live as long as the process; a fault's text is small and rare.</summary>
    private static nint Intern(string text) => Native.GetOrAdd(text, Marshal.StringToCoTaskMemUTF8);

    private static string UpperSnakeCase(string pascal)
    {
        var result = new StringBuilder();
        foreach (char c in pascal)
        {
            if (char.IsUpper(c) && result.Length > 0) result.Append('_');
            result.Append(char.ToUpperInvariant(c));
        }

        return result.ToString();
    }
}
