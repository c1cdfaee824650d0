using System.Runtime.InteropServices;
using EfficientAD.Native.Driver;

namespace EfficientAD.Native;

/// <summary>Something that lives in a context. It keeps the context alive until it is released itself.</summary>
public abstract class CudaHandle : SafeHandle
{
    private protected CudaHandle(CudaContext context, bool ownsHandle) : base(0, ownsHandle) => Context = context;

    /// <summary>Where it lives.</summary>
    public CudaContext Context { get; }

    public sealed override bool IsInvalid => handle == 0;

    private protected CudaDriver Driver => Context.Driver;

    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    private protected nint OpenHandle
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    /// <summary>Takes over what was just created; called once, by the constructor.</summary>
    private protected void Own(nint created)
    {
        bool isReferenced = false;
        Context.DangerousAddRef(ref isReferenced);
        SetHandle(created);
    }

    /// <summary>Destroys the native object; the context is current.</summary>
    private protected abstract CudaResult Destroy(nint released);

    protected sealed override bool ReleaseHandle()
    {
        try
        {
            using CudaContext.Scope scope = Context.EnterToRelease();
            return Destroy(handle) == CudaResult.Success;
        }
        catch (CudaException)
        {
            // The context was lost, or the process ends: there is nothing left to destroy.
            return false;
        }
        finally
        {
            Context.DangerousRelease();
        }
    }
}
