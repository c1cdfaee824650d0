namespace PtxSimulator.Driver;

/// <summary>What the program holds handles of.</summary>
internal static class Handles
{
    public static HandleTable<DriverContext> Contexts { get; } = new("context", DriverError.InvalidContext);

    public static HandleTable<DriverStream> Streams { get; } = new("stream");

    public static HandleTable<DriverEvent> Events { get; } = new("event");

    public static HandleTable<DriverModule> Modules { get; } = new("module");

    public static HandleTable<DriverFunction> Functions { get; } = new("function");

    public static HandleTable<MemoryPool> Pools { get; } = new("memory pool");

    public static HandleTable<CapturedGraph> Graphs { get; } = new("graph");

    public static HandleTable<ExecutableGraph> ExecutableGraphs { get; } = new("executable graph");
}
