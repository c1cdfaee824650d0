using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

public sealed partial class CudaContext
{
    /// <summary>While it lives, the context is current on the thread that entered it.</summary>
    public readonly unsafe ref struct Scope
    {
        /// <summary>Null where the context was current already, so that nothing was pushed.</summary>
        private readonly CudaDriver? _pushedOn;

        internal Scope(CudaDriver driver, nint context)
        {
            nint current;
            driver.ThrowIfFailed(driver.cuCtxGetCurrent(&current));
            if (current == context) return;
            driver.ThrowIfFailed(driver.cuCtxPushCurrent_v2(context));
            _pushedOn = driver;
        }

        /// <summary>Makes current again what was before. Call it on the same thread, inner scopes first.</summary>
        public void Dispose()
        {
            nint popped;
            if (_pushedOn is { } driver) driver.cuCtxPopCurrent_v2(&popped);
        }
    }
}
