using System.ComponentModel;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

/// <summary>What every command takes that runs the networks.</summary>
internal abstract class ComputeSettings : VerbositySettings
{
    private const int MaximumThreads = 1024;

    private static readonly string[] Precisions =
        [.. Enum.GetNames<CudaPrecision>().Select(name => name.ToLowerInvariant())];

    [CommandOption("--threads <N>")]
    [Description("Threads that compute. Default: one per core.")]
    public int Threads { get; init; }

    [CommandOption("--device <DEVICE>")]
    [Description("auto, cpu, cuda or cuda:N; see 'efficientad devices'.")]
    [DefaultValue("auto")]
    public string Device { get; init; } = "auto";

    [CommandOption("--precision <PRECISION>")]
    [Description("Of convolutions on CUDA devices: full, tf32 or half; int8 or fp8 of detection.")]
    [DefaultValue("full")]
    public string Precision { get; init; } = "full";

    [CommandOption("--cudnn")]
    [Description("Let cuDNN, if installed, do what it does faster than our kernels.")]
    public bool UseCudnn { get; init; }

    /// <summary>Whether --precision says how detection computes, and nothing of training.</summary>
    protected bool IsOfDetection => Precision is "int8" or "fp8";

    /// <summary>What --device names.</summary>
    public Device Processor => Backends.Device.Parse(Device);

    public CpuOptions Cpu => new() { Threads = Threads };

    public CudaOptions Cuda => new()
    {
        Precision = Enum.Parse<CudaPrecision>(Precision, ignoreCase: true),
        UseLibraries = UseCudnn,
    };

    public override ValidationResult Validate()
    {
        if (Threads is < 0 or > MaximumThreads)
            return ValidationResult.Error($"--threads {Threads}: give 1 to {MaximumThreads}, or 0 for one per core.");
        if (!Precisions.Contains(Precision))
            return ValidationResult.Error($"--precision {Precision}: give {string.Join(", ", Precisions)}.");
        return Backends.Device.TryParse(Device, out _)
            ? ValidationResult.Success()
            : ValidationResult.Error($"--device {Device}: unknown. Use auto, cpu, cuda, or cuda:N with N from 0.");
    }

    /// <summary>Tells at once, before anything is read, if the device is not there.</summary>
    /// <exception cref="NotSupportedException">It is missing or too old.</exception>
    public void RequireDevice() => Processor.Resolve();
}
