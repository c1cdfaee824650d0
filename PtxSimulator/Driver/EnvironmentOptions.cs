using System.Globalization;

namespace PtxSimulator.Driver;

/// <summary>Options of device 0 for a program that knows the simulator only as a library of CUDA: words such as
/// <c>capability=90 checks=none counters=off memory=4095 seed=3 report=report.txt</c> in an environment
/// variable.</summary>
/// <param name="ReportPath">Where the table of launches goes when the program ends its last context; null for nowhere.
/// </param>
/// <param name="Error">What is wrong with the text; null if nothing is.</param>
internal sealed record EnvironmentOptions(SimulatedDeviceOptions Device, string? ReportPath, string? Error)
{
    public const string Variable = "PTX_SIMULATOR";

    private const int LargestMebibytes = 4095;

    public static EnvironmentOptions Current { get; } = Parse(Environment.GetEnvironmentVariable(Variable));

    public static EnvironmentOptions Parse(string? text)
    {
        var options = new EnvironmentOptions(new SimulatedDeviceOptions(), null, null);
        foreach (string word in (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = word.Split('=', 2);
            EnvironmentOptions? taken = parts is [var key, var value] ? options.Take(key, value) : null;
            options =
                taken ?? options with { Error = $"{Variable}: '{word}' is not understood. See docs/simulator.md." };
        }

        return options;
    }

    private EnvironmentOptions? Take(string key, string value)
    {
        bool isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        return key switch
        {
            "report" when value != "" => this with { ReportPath = value },
            "capability" when number is 75 or 80 or 86 or 87 or 89 or 90 =>
                this with { Device = Device with { ComputeCapability = number } },
            "checks" when value is "all" or "none" =>
                this with { Device = Device with { Checks = value == "all" ? Checks.All : Checks.None } },
            "counters" when value is "on" or "off" => this with { Device = Device with { Counters = value == "on" } },
            "memory" when number is >= 1 and <= LargestMebibytes =>
                this with { Device = Device with { MemoryBytes = (long)number << 20 } },
            "seed" when isNumber => this with { Device = Device with { Seed = number } },
            _ => null,
        };
    }
}
