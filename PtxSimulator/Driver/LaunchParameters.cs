namespace PtxSimulator.Driver;

/// <summary>The values of a launch, copied while the caller waits, as drivers do.</summary>
internal static unsafe class LaunchParameters
{
    /// <summary>Keys of the list that replaces single addresses: CU_LAUNCH_PARAM_*.</summary>
    private const nint End = 0, BufferPointer = 1, BufferSize = 2;

    /// <param name="addresses">One for each parameter of the PTX, or null.</param>
    /// <param name="extra">Otherwise a list of keys and values that names one buffer with all parameters, or
    /// null.</param>
    /// <exception cref="DriverException">Neither fits the kernel.</exception>
    public static byte[] Copy(PtxKernel kernel, void** addresses, void** extra)
    {
        if (addresses != null && extra != null)
            throw new DriverException(DriverError.InvalidValue, "both kernelParams and extra are given.");
        if (extra != null) return FromBuffer(kernel, extra);
        byte[] values = new byte[kernel.ParameterBytes];
        if (values.Length == 0) return values;
        Boundary.RequireNotNull((nint)addresses, "kernelParams");
        for (int i = 0; i < kernel.Parameters.Count; i++)
        {
            PtxParameter parameter = kernel.Parameters[i];
            Boundary.RequireNotNull((nint)addresses[i], $"the address of parameter {i} of {kernel.Name}");
            new ReadOnlySpan<byte>(addresses[i], parameter.Size).CopyTo(values.AsSpan(parameter.Offset));
        }

        return values;
    }

    private static byte[] FromBuffer(PtxKernel kernel, void** extra)
    {
        void* buffer = null;
        nuint size = 0;
        for (int i = 0; (nint)extra[i] != End; i += 2)
        {
            if ((nint)extra[i] == BufferPointer) buffer = extra[i + 1];
            else if ((nint)extra[i] == BufferSize) size = *(nuint*)extra[i + 1];
            else throw new DriverException(DriverError.InvalidValue, $"extra has the unknown key {(nint)extra[i]}.");
        }

        Boundary.RequireNotNull((nint)buffer, "the buffer of extra");
        if (size != (nuint)kernel.ParameterBytes)
        {
            throw new DriverException(DriverError.InvalidValue,
                $"{kernel.Name} takes {kernel.ParameterBytes} bytes of parameters, the buffer has {size}.");
        }

        return new ReadOnlySpan<byte>(buffer, kernel.ParameterBytes).ToArray();
    }
}
