using System.Globalization;
using System.Text.Json;
using EfficientAD.Cli.Output;
using EfficientAD.Cli.Runs;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Inspection;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class InspectCommand(CommandOutput output) : Command<InspectSettings>
{
    public override int Execute(CommandContext context, InspectSettings settings, CancellationToken cancellation)
    {
        settings.RequireDevice();
        RgbImage[] frames = ReplayedCamera.ReadFrames(settings.Frames, cancellation);
        using AnomalyDetector detector = settings.LoadDetector(output);
        var options = new CameraOptions
        {
            Width = frames[0].Width,
            Height = frames[0].Height,
            Format = PixelFormat.Rgb24,
            QueueLength = settings.Queue,
            WhenFull = settings.Policy,
            Deadline = settings.Deadline is { } deadline ? TimeSpan.FromMilliseconds(deadline) : null,
            WantsMap = settings.Maps,
        };
        CameraStatistics[] cameras = ReplayedCamera.Run(
            detector, options, frames, settings.Cameras, settings.FramesPerSecond,
            TimeSpan.FromSeconds(settings.Seconds), cancellation);
        var all = new CameraStatistics();
        foreach (CameraStatistics camera in cameras) all.Add(camera);
        if (settings.Json) WriteJson(settings, detector.Processor, all, cameras);
        else WriteText(settings, detector.Processor, frames, all);
        return ExitCode.Success;
    }

    private void WriteText(InspectSettings settings, string processor, RgbImage[] frames, CameraStatistics all)
    {
        var facts = new FactTable();
        facts.Add("on", processor);
        string cameras = settings.Cameras == 1 ? "1 camera" : $"{settings.Cameras} cameras";
        facts.Add("frames", string.Create(
            CultureInfo.InvariantCulture,
            $"{frames.Length} of {frames[0].Width} x {frames[0].Height}, repeated; {cameras} at " +
            $"{settings.FramesPerSecond:0.##} a second"));
        facts.Add("judged", $"{all.Good} good, {all.Anomalous} anomalous, {all.Invalid} invalid");
        facts.Add("dropped", $"{all.Dropped} of {all.Pushed}, queue of {settings.Queue}, {settings.WhenFull}");
        if (settings.Deadline is { } deadline)
        {
            facts.Add("late", string.Create(
                CultureInfo.InvariantCulture, $"{all.Late} of {all.Total.Count}, after {deadline} ms"));
        }

        facts.WriteTo(output);
        output.WriteLine();
        LatencyTable.WriteText(output, all);
    }

    private void WriteJson(
        InspectSettings settings, string processor, CameraStatistics all, CameraStatistics[] cameras) =>
        output.WriteJson(json =>
        {
            json.WriteString("processor", processor);
            json.WriteNumber("fps", settings.FramesPerSecond);
            WriteStatistics(json, all);
            json.WriteStartArray("cameras");
            foreach (CameraStatistics camera in cameras)
            {
                json.WriteStartObject();
                WriteStatistics(json, camera);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });

    private static void WriteStatistics(Utf8JsonWriter json, CameraStatistics statistics)
    {
        json.WriteNumber("pushed", statistics.Pushed);
        json.WriteNumber("good", statistics.Good);
        json.WriteNumber("anomalous", statistics.Anomalous);
        json.WriteNumber("invalid", statistics.Invalid);
        json.WriteNumber("dropped", statistics.Dropped);
        json.WriteNumber("late", statistics.Late);
        LatencyTable.WriteJson(json, statistics);
    }
}
