namespace PtxSimulator.Driver;

/// <summary>What the real driver would return for a fault.</summary>
internal static class Faults
{
    /// <summary>Faults that a GPU would not notice come back as "launch failed": the simulator is stricter.</summary>
    public static DriverError Result(FaultKind kind) => kind switch
    {
        FaultKind.OutOfBounds or FaultKind.UseAfterFree => DriverError.IllegalAddress,
        FaultKind.Misaligned => DriverError.MisalignedAddress,
        FaultKind.Deadlock or FaultKind.Endless => DriverError.LaunchTimeout,
        _ => DriverError.LaunchFailed,
    };
}
