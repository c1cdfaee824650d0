namespace PtxSimulator.Driver;

/// <summary>The calling thread's stack of contexts; the top one is current.</summary>
internal static class CurrentContext
{
    [ThreadStatic]
    private static Stack<nint>? _stack;

    /// <summary>0 if none is current.</summary>
    public static nint Handle => Stack.TryPeek(out nint handle) ? handle : 0;

    private static Stack<nint> Stack => _stack ??= new Stack<nint>();

    /// <exception cref="DriverException">No context is current, or it was destroyed.</exception>
    public static DriverContext Require()
    {
        if (Handle == 0) throw new DriverException(DriverError.InvalidContext, "no context is current on this thread.");
        return Handles.Contexts.Get(Handle);
    }

    public static void Push(nint handle)
    {
        Handles.Contexts.Get(handle);
        Stack.Push(handle);
    }

    public static nint Pop() => Stack.TryPop(out nint handle)
        ? handle
        : throw new DriverException(DriverError.InvalidContext, "no context is current on this thread.");

    /// <summary>Replaces the top of the stack; 0 removes it.</summary>
    public static void Set(nint handle)
    {
        if (handle != 0) Handles.Contexts.Get(handle);
        Stack.TryPop(out _);
        if (handle != 0) Stack.Push(handle);
    }
}
