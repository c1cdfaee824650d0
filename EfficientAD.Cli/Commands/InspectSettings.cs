using System.ComponentModel;
using EfficientAD.Inspection;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class InspectSettings : DetectorSettings
{
    private static readonly Dictionary<string, FullQueue> Policies = new()
    {
        ["drop-oldest"] = FullQueue.DropOldest,
        ["drop-newest"] = FullQueue.DropNewest,
        ["wait"] = FullQueue.Wait,
    };

    [CommandOption("--frames <DIR>", isRequired: true)]
    [Description("Images of one size, as files, folders or patterns; they are read into memory and repeated.")]
    public string Frames { get; init; } = "";

    [CommandOption("--fps <N>")]
    [Description("Frames per second of each camera.")]
    [DefaultValue(10.0)]
    public double FramesPerSecond { get; init; } = 10;

    [CommandOption("--cameras <N>")]
    [Description("Cameras that share the detector, evenly offset in time.")]
    [DefaultValue(1)]
    public int Cameras { get; init; } = 1;

    [CommandOption("--seconds <T>")]
    [Description("How long they run.")]
    [DefaultValue(10.0)]
    public double Seconds { get; init; } = 10;

    [CommandOption("--queue <N>")]
    [Description("Frames of a camera that may wait.")]
    [DefaultValue(4)]
    public int Queue { get; init; } = 4;

    [CommandOption("--when-full <POLICY>")]
    [Description("What gives way when they are too many: drop-oldest, drop-newest, or wait (the camera does).")]
    [DefaultValue("drop-oldest")]
    public string WhenFull { get; init; } = "drop-oldest";

    [CommandOption("--deadline <MS>")]
    [Description("Milliseconds after its capture at which a result is late.")]
    public double? Deadline { get; init; }

    [CommandOption("--maps")]
    [Description("Compute anomaly maps of the images' size, not only scores.")]
    public bool Maps { get; init; }

    public FullQueue Policy => Policies[WhenFull];

    public override ValidationResult Validate()
    {
        if (FramesPerSecond is not (>= 0.01 and <= 100_000))
            return ValidationResult.Error($"--fps {FramesPerSecond}: give 0.01 to 100000.");
        if (Cameras is < 1 or > 64) return ValidationResult.Error($"--cameras {Cameras}: give 1 to 64.");
        if (Seconds is not (> 0 and <= 1_000_000))
            return ValidationResult.Error($"--seconds {Seconds}: give more than 0, at most 1000000.");
        if (Queue is < 1 or > 1024) return ValidationResult.Error($"--queue {Queue}: give 1 to 1024.");
        if (!Policies.ContainsKey(WhenFull))
            return ValidationResult.Error($"--when-full {WhenFull}: give {string.Join(", ", Policies.Keys)}.");
        if (Deadline is not (null or (> 0 and <= 1_000_000)))
            return ValidationResult.Error($"--deadline {Deadline}: give more than 0, at most 1000000 milliseconds.");
        return base.Validate();
    }
}
