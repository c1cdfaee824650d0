using System.Diagnostics;
using System.Globalization;
using EfficientAD.Cli.Output;
using EfficientAD.Distillation;

namespace EfficientAD.Cli.Distillation;

/// <summary>Distils a teacher and tells how it goes.</summary>
internal sealed class DistillationRun(CommandOutput output, bool json)
{
    public void Run(TeacherDistiller distiller, DistillationOptions options, int images, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        if (!json)
        {
            output.WriteLine(
                $"Distilling {options.TeacherPath} from {images} images, {options.HeldBack} of them held back.");
            output.WriteLine("Losses are in units of the features' variance: 1 knows nothing.");
        }

        DistillationResult? result = null;
        if (output.IsTerminal && !json)
        {
            DistillationBars.Show(
                output.Console, options.BatchSize, progress => result = distiller.Run(progress, cancellation));
        }
        else
        {
            result = distiller.Run(new DistillationLog(output, json, options.BatchSize), cancellation);
        }

        if (json) WriteDone(result!, options, clock.Elapsed);
        else Summarise(result!, options, clock.Elapsed);
    }

    private void Summarise(DistillationResult result, DistillationOptions options, TimeSpan elapsed) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Wrote {options.TeacherPath} after {result.Steps} steps in {Durations.Format(elapsed)}; " +
            $"held-back loss {result.HeldBackLoss:0.0000}."));

    private void WriteDone(DistillationResult result, DistillationOptions options, TimeSpan elapsed) =>
        output.WriteJson(writer =>
        {
            writer.WriteString("event", "done");
            writer.WriteString("teacher", options.TeacherPath);
            writer.WriteNumber("seconds", Math.Round(elapsed.TotalSeconds, 1));
            writer.WriteNumber("steps", result.Steps);
            writer.WriteNumber("held_back_loss", result.HeldBackLoss);
        });
}
