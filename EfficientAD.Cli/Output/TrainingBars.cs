using System.Globalization;
using EfficientAD.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace EfficientAD.Cli.Output;

/// <summary>A training run on a terminal: a bar for each phase, below them the losses and their curve.</summary>
internal sealed class TrainingBars : IProgress<TrainingProgress>
{
    private readonly Dictionary<TrainingPhase, ProgressTask> _tasks = [];
    private readonly LossHistory _history = new();
    private readonly Lock _lock = new();
    private float _learningRate;

    private TrainingBars(ProgressContext context, IEnumerable<TrainingPhase> phases)
    {
        foreach (TrainingPhase phase in phases)
            _tasks[phase] = context.AddTask(ProgressBars.Name(phase.ToString()), autoStart: false);
    }

    /// <summary>Shows a bar for each of <paramref name="phases"/> while <paramref name="train"/> runs.</summary>
    public static void Show(
        IAnsiConsole console, IEnumerable<TrainingPhase> phases, Action<IProgress<TrainingProgress>> train)
    {
        TrainingBars? bars = null;
        ProgressBars.Create(console)
            .UseRenderHook((tasks, _) => bars is null ? tasks : new Rows(tasks, bars.RenderLosses()))
            .Start(context => train(bars = new TrainingBars(context, phases)));
    }

    public void Report(TrainingProgress value)
    {
        ProgressTask task = _tasks[value.Phase];
        if (!task.IsStarted) task.StartTask();
        task.MaxValue = Math.Max(1, value.Total);
        task.Value = value.Done;
        if (value.Done >= value.Total) task.StopTask();
        if (value.Losses is not { } losses) return;
        lock (_lock)
        {
            _history.Add(losses);
            _learningRate = value.LearningRate;
        }
    }

    private IRenderable RenderLosses()
    {
        StepLosses losses;
        string curve;
        lock (_lock) (losses, curve) = (_history.Smoothed, _history.Curve());
        if (curve == "") return Text.Empty;
        (string Head, string Value)[] columns =
        [
            ("hard", Number(losses.Hard)),
            ("penalty", Number(losses.Penalty)),
            ("autoencoder", Number(losses.Autoencoder)),
            ("student-autoencoder", Number(losses.StudentAutoencoder)),
            ("learning rate", _learningRate.ToString("0.0e-0", CultureInfo.InvariantCulture)),
        ];
        var grid = new Grid().AddColumn();
        foreach (var _ in columns) grid.AddColumn(new GridColumn().RightAligned());
        grid.AddRow([new Text("Losses"), .. columns.Select(column => new Text(column.Head, Color.Grey))]);
        grid.AddRow([Text.Empty, .. columns.Select(column => new Text(column.Value))]);
        return new Rows(grid, new Text($"Total   {Number(losses.Total)} {curve}"));
    }

    private static string Number(float loss) => loss.ToString("0.0000", CultureInfo.InvariantCulture);
}
