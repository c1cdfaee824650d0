using System.ComponentModel;
using System.Globalization;
using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Detection;
using Spectre.Console;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class BenchSettings : ComputeSettings
{
    [CommandOption("--model <FILE>", isRequired: true)]
    [Description("A model written by 'efficientad train'.")]
    public string Model { get; init; } = "";

    [CommandOption("--batch <N>")]
    [Description("Images of one measured call; they pass through the networks together, on a CUDA device up to 64.")]
    [DefaultValue(1)]
    public int Batch { get; init; } = 1;

    [CommandOption("--frames <N>")]
    [Description("Measured calls; a tenth as many go before, unmeasured.")]
    [DefaultValue(200)]
    public int Frames { get; init; } = 200;

    [CommandOption("--paced <FPS>")]
    [Description("Calls a second, as a camera triggers them; else one after the other.")]
    public double? Paced { get; init; }

    [CommandOption("--mode <MODE>")]
    [Description("How the CPU computes: fast, precise or plain.")]
    [DefaultValue("fast")]
    public string Mode { get; init; } = "fast";

    [CommandOption("--json")]
    [Description("Write JSON for programs instead of text.")]
    public bool Json { get; init; }

    public override ValidationResult Validate()
    {
        if (Batch is < 1 or > 1024) return ValidationResult.Error($"--batch {Batch}: give 1 to 1024.");
        if (Frames is < 1 or > 1_000_000) return ValidationResult.Error($"--frames {Frames}: give 1 to 1000000.");
        if (Paced is not (null or (>= 0.01 and <= 100_000)))
            return ValidationResult.Error($"--paced {Paced}: give 0.01 to 100000 calls a second.");
        return DetectorSettings.TryMode(Mode, out _)
            ? base.Validate()
            : ValidationResult.Error($"--mode {Mode}: give fast, precise or plain.");
    }
}

internal sealed class BenchCommand(CommandOutput output) : Command<BenchSettings>
{
    public override int Execute(CommandContext context, BenchSettings settings, CancellationToken cancellation)
    {
        settings.RequireDevice();
        DetectorSettings.TryMode(settings.Mode, out DetectionMode mode);
        using AnomalyDetector detector = AnomalyDetector.Load(
            settings.Model, new DetectorOptions
            {
                Device = settings.Processor,
                Threads = settings.Threads,
                Cuda = settings.Cuda,
                AcceptAnySize = true,
                Mode = mode,
                Batch = settings.Batch,
            });
        output.WarnOfFallback(detector);
        Latencies latencies = LatencyRun.Measure(
            detector, settings.Batch, settings.Frames, settings.Paced, cancellation);
        if (settings.Json) WriteJson(settings, detector.Processor, latencies);
        else WriteText(settings, detector.Processor, latencies);
        return ExitCode.Success;
    }

    private void WriteJson(BenchSettings settings, string processor, Latencies latencies) => output.WriteJson(json =>
    {
        json.WriteNumber("p50_ms", latencies.Quantile(0.5));
        json.WriteNumber("p90_ms", latencies.Quantile(0.9));
        json.WriteNumber("p99_ms", latencies.Quantile(0.99));
        json.WriteNumber("p999_ms", latencies.Quantile(0.999));
        json.WriteNumber("mean_ms", latencies.Mean);
        json.WriteNumber("jitter_ms", latencies.Jitter);
        json.WriteNumber("images_per_second", latencies.ImagesPerSecond);
        json.WriteNumber("frames", latencies.Count);
        json.WriteNumber("batch", settings.Batch);
        if (settings.Paced is { } pace) json.WriteNumber("paced", pace);
        else json.WriteNull("paced");
        if (latencies.MissedDeadlines is { } missed) json.WriteNumber("missed_deadlines", missed);
        else json.WriteNull("missed_deadlines");
        json.WriteString("processor", processor);
        json.WriteString("mode", settings.Mode);
    });

    private void WriteText(BenchSettings settings, string processor, Latencies latencies)
    {
        var facts = new FactTable();
        facts.Add("on", processor);
        facts.Add(
            "call", $"{settings.Batch} image{(settings.Batch == 1 ? "" : "s")} from 8-bit pixels to score and map");
        foreach ((string name, double share) in new[] { ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999) })
            facts.Add(name, Milliseconds(latencies.Quantile(share)));
        facts.Add("mean", Milliseconds(latencies.Mean));
        facts.Add("jitter", $"{Milliseconds(latencies.Jitter)} from one call to the next, on average");
        facts.Add("images/s", latencies.ImagesPerSecond.ToString("0.0", CultureInfo.InvariantCulture));
        if (latencies.MissedDeadlines is { } missed)
        {
            facts.Add("camera", string.Create(CultureInfo.InvariantCulture,
                $"{settings.Paced} calls a second; {missed} of {latencies.Count} had not ended when the next was due"));
        }

        facts.WriteTo(output);
    }

    private static string Milliseconds(double value) => value.ToString("0.00", CultureInfo.InvariantCulture) + " ms";
}
