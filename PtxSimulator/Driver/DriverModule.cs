using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;

namespace PtxSimulator.Driver;

/// <summary>A loaded PTX text.</summary>
internal sealed partial class DriverModule
{
    /// <summary>Modules never change; a text that many contexts load is read once. Few texts exist in a process.
    /// </summary>
    private static readonly ConcurrentDictionary<string, PtxModule> Parsed = new();

    private readonly Dictionary<string, nint> _functions = [];

    private DriverModule(DriverContext context, PtxModule module) => (Context, Module) = (context, module);

    public DriverContext Context { get; }

    public PtxModule Module { get; }

    /// <exception cref="DriverException">The text is no PTX, or not for this device.</exception>
    public static DriverModule Load(DriverContext context, string ptx)
    {
        RequireVersion(ptx);
        int capability = context.Device.Options.ComputeCapability;
        try
        {
            PtxModule module = Parsed.GetOrAdd(ptx, static text => PtxModule.Parse(text, Name(text)));
            if (module.Target > capability || (IsArchitectureSpecific(ptx) && module.Target != capability))
            {
                throw new DriverException(DriverError.InvalidPtx,
                    $"the PTX is for sm_{module.Target}, the device has compute capability " +
                    $"{capability / 10}.{capability % 10}.");
            }

            return new DriverModule(context, module);
        }
        catch (PtxFormatException e)
        {
            throw new DriverException(DriverError.InvalidPtx, e.Message);
        }
    }

    /// <exception cref="DriverException">The module has no such kernel.</exception>
    public nint GetFunction(string name)
    {
        if (_functions.TryGetValue(name, out nint handle)) return handle;
        if (!Module.Kernels.TryGetValue(name, out PtxKernel? kernel))
        {
            throw new DriverException(DriverError.NotFound,
                $"no kernel '{name}'; the module has {string.Join(", ", Module.Kernels.Keys)}.");
        }

        return _functions[name] = Handles.Functions.Add(new DriverFunction(this, kernel));
    }

    public void Unload()
    {
        foreach (nint function in _functions.Values) Handles.Functions.Remove(function);
        _functions.Clear();
    }

    /// <summary>PTX has no minor compatibility: a driver refuses what is newer than itself.</summary>
    private static void RequireVersion(string ptx)
    {
        Match version = Version().Match(ptx);
        if (!version.Success) throw new DriverException(DriverError.InvalidPtx, "the text has no .version.");
        int number = 10 * int.Parse(version.Groups[1].ValueSpan, CultureInfo.InvariantCulture) +
            int.Parse(version.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
        if (number > SimulatedDriver.PtxVersion)
        {
            throw new DriverException(DriverError.UnsupportedPtxVersion,
                $"the PTX is of version {version.Groups[1]}.{version.Groups[2]}, the driver knows up to " +
                $"{SimulatedDriver.PtxVersion / 10}.{SimulatedDriver.PtxVersion % 10}.");
        }
    }

    /// <summary>The source that .file names, for messages; the driver is told no name.</summary>
    private static string Name(string ptx) =>
        File().Match(ptx) is { Success: true } file ? Path.GetFileName(file.Groups[1].Value) : "module";

    private static bool IsArchitectureSpecific(string ptx) => SpecificTarget().IsMatch(ptx);

    [GeneratedRegex(@"^\s*\.version\s+(\d+)\.(\d+)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Version();

    [GeneratedRegex(@"^\s*\.file\s+1\s+""([^""]+)""", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex File();

    [GeneratedRegex(@"^\s*\.target\s+sm_\d+[a-z]", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex SpecificTarget();
}
