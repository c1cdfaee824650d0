using System.ComponentModel;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

/// <summary>What every command takes that runs the networks.</summary>
internal abstract class ComputeSettings : VerbositySettings
{
    private const int MaximumThreads = 1024;

    [CommandOption("--threads <N>")]
    [Description("Threads that compute. Default: one per core.")]
    public int Threads { get; init; }

    [CommandOption("--device <DEVICE>")]
    [Description("auto, cpu, cuda or cuda:N; see 'efficientad devices'.")]
    [DefaultValue("auto")]
    public string Device { get; init; } = "auto";

    /// <summary>What --device names.</summary>
    public Device Processor => Backends.Device.Parse(Device);

    public CpuOptions Cpu => new() { Threads = Threads };

    public override ValidationResult Validate()
    {
        if (Threads is < 0 or > MaximumThreads)
            return ValidationResult.Error($"--threads {Threads}: give 1 to {MaximumThreads}, or 0 for one per core.");
        return Backends.Device.TryParse(Device, out _)
            ? ValidationResult.Success()
            : ValidationResult.Error($"--device {Device}: unknown. Use auto, cpu, cuda, or cuda:N with N from 0.");
    }

    /// <summary>Tells at once, before anything is read, if the device is not there.</summary>
    /// <exception cref="NotSupportedException">It is missing or too old.</exception>
    public void RequireDevice() => Processor.Resolve();
}
