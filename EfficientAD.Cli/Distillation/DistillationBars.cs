using EfficientAD.Cli.Output;
using EfficientAD.Distillation;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace EfficientAD.Cli.Distillation;

/// <summary>A distillation on a terminal: a bar for each phase, below them the losses.</summary>
internal sealed class DistillationBars : IProgress<DistillationProgress>
{
    private readonly Dictionary<DistillationPhase, ProgressTask> _tasks;
    private readonly DistillationPace _pace;
    private volatile string _losses = "";

    private DistillationBars(ProgressContext context, int batchSize)
    {
        _pace = new DistillationPace(batchSize);
        _tasks = Enum.GetValues<DistillationPhase>().ToDictionary(
            phase => phase, phase => context.AddTask(ProgressBars.Name(phase.ToString()), autoStart: false));
    }

    /// <summary>Shows the bars while <paramref name="distil"/> runs.</summary>
    public static void Show(IAnsiConsole console, int batchSize, Action<IProgress<DistillationProgress>> distil)
    {
        DistillationBars? bars = null;
        ProgressBars.Create(console)
            .UseRenderHook((tasks, _) => bars is null ? tasks : new Rows(tasks, new Text(bars._losses)))
            .Start(context => distil(bars = new DistillationBars(context, batchSize)));
    }

    public void Report(DistillationProgress value)
    {
        ProgressTask task = _tasks[value.Phase];
        if (!task.IsStarted) task.StartTask();
        task.MaxValue = value.Total;
        task.Value = value.Done;
        _pace.Add(value);
        _losses = _pace.Describe(value);
    }
}
