namespace EfficientAD.Native.Driver;

/// <summary>CUresult. Its names come from the driver: <see cref="CudaDriver.ThrowIfFailed"/>.</summary>
internal enum CudaResult
{
    Success = 0,
}
