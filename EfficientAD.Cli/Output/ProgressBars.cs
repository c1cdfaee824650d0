using Spectre.Console;
using Spectre.Console.Rendering;

namespace EfficientAD.Cli.Output;

/// <summary>Bars that move on a terminal: name, bar, count, time left.</summary>
internal static class ProgressBars
{
    private const int BarWidth = 34, NameWidth = 11;

    public static Progress Create(IAnsiConsole console)
    {
        var progress = new Progress(console) { RefreshRate = TimeSpan.FromMilliseconds(200) };
        return progress.Columns(
            new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn { Width = BarWidth, CompletedStyle = Color.Blue, FinishedStyle = Color.Green },
            new CountColumn(),
            new TimeColumn());
    }

    public static string Name(string name) => name.PadRight(NameWidth);

    private sealed class CountColumn : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.IsStarted ? $"{task.Value:0}/{task.MaxValue:0}" : "").RightJustified();
    }

    private sealed class TimeColumn : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => task switch
        {
            { IsStarted: false } => Text.Empty,
            { IsFinished: true, ElapsedTime: { } elapsed } => new Text($"{Durations.Format(elapsed)}", Color.Grey),
            { RemainingTime: { } left } => new Text($"{Durations.Format(left)} left"),
            _ => Text.Empty,
        };
    }
}
