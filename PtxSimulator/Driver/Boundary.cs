namespace PtxSimulator.Driver;

/// <summary>Between C and us: no exception leaves, every error has its number, and the lock of the device is
/// held.</summary>
internal static class Boundary
{
    [ThreadStatic]
    private static (DriverError Error, string Diagnosis) _last;

    [ThreadStatic]
    private static bool _isInHostFunction;

    private static volatile bool _isInitialized;

    public static void Initialize() => _isInitialized = true;

    /// <summary>What is known of the last failure on this thread, if it was this error.</summary>
    public static string? Diagnosis(DriverError error) => _last.Error == error ? _last.Diagnosis : null;

    public static int Call(Action body) => Ask(() =>
    {
        body();
        return DriverError.Success;
    });

    /// <summary>For calls to which an answer such as "not ready" is no failure.</summary>
    public static int Ask(Func<DriverError> body) => (int)Guard(() =>
    {
        if (!_isInitialized) throw new DriverException(DriverError.NotInitialized, "cuInit was not called.");
        if (_isInHostFunction)
        {
            throw new DriverException(
                DriverError.NotPermitted, "a host function of a stream must not call the driver.");
        }

        return body();
    });

    /// <summary>As <see cref="Call"/>, but allowed before cuInit.</summary>
    public static int CallUninitialized(Action body) => (int)Guard(() =>
    {
        body();
        return DriverError.Success;
    });

    /// <param name="body">Works in the current context.</param>
    public static int InContext(Action<DriverContext> body) => Call(() =>
    {
        DriverContext context = CurrentContext.Require();
        lock (context.Device.Lock)
        {
            context.RequireUsable();
            body(context);
        }
    });

    /// <param name="handle">A stream, or 0, 1 or 2 for those that every context has.</param>
    public static int OnStream(nint handle, Action<DriverStream> body) => AskStream(handle, stream =>
    {
        body(stream);
        return DriverError.Success;
    });

    /// <inheritdoc cref="OnStream"/>
    public static int AskStream(nint handle, Func<DriverStream, DriverError> body) => Ask(() =>
    {
        DriverStream stream = Stream(handle);
        lock (stream.Context.Device.Lock)
        {
            stream.Context.RequireUsable();
            return body(stream);
        }
    });

    public static int OnEvent(nint handle, Func<DriverEvent, DriverError> body) => Ask(() =>
    {
        DriverEvent @event = Handles.Events.Get(handle);
        lock (@event.Context.Device.Lock)
        {
            @event.Context.RequireUsable();
            return body(@event);
        }
    });

    /// <summary>The stream of a handle; the special ones belong to the current context.</summary>
    public static DriverStream Stream(nint handle) => handle switch
    {
        0 or 1 => CurrentContext.Require().LegacyStream,
        2 => CurrentContext.Require().PerThreadStream,
        _ => Handles.Streams.Get(handle),
    };

    /// <summary>Runs a callback of the program, which may not call back.</summary>
    public static void RunHostFunction(Action function)
    {
        _isInHostFunction = true;
        try
        {
            function();
        }
        finally
        {
            _isInHostFunction = false;
        }
    }

    public static void RequireNotNull(nint pointer, string name)
    {
        if (pointer == 0) throw new DriverException(DriverError.InvalidValue, $"{name} is null.");
    }

    private static DriverError Guard(Func<DriverError> body)
    {
        try
        {
            return body();
        }
        catch (DriverException e)
        {
            return Remember(e.Error, e.Message);
        }
        catch (OutOfMemoryException e)
        {
            return Remember(DriverError.OutOfMemory, e.Message);
        }
        catch (Exception e)
        {
            return Remember(DriverError.Unknown, $"the simulator failed: {e}");
        }
    }

    private static DriverError Remember(DriverError error, string diagnosis)
    {
        _last = (error, diagnosis);
        return error;
    }
}
