using System.Text;
using EfficientAD.Cli.Output;
using EfficientAD.Training;
using Spectre.Console;

namespace EfficientAD.Tests.Cli;

public class TrainingBarsTests
{
    [Fact]
    public void Terminal_ShowsBarsLossesAndCurveIn80Columns()
    {
        var terminal = new Terminal();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
            Out = terminal,
        });
        console.Profile.Capabilities.Ansi = true;
        TrainingBars.Show(console, [TrainingPhase.Statistics, TrainingPhase.Steps], progress =>
        {
            progress.Report(new TrainingProgress(TrainingPhase.Statistics, 188, 188));
            for (int step = 1; step <= 300; step++)
            {
                var losses = new StepLosses(30f / step, 0.5f / step, 1, 0.25f);
                progress.Report(new TrainingProgress(TrainingPhase.Steps, step, 70_000, losses, 1e-4f));
            }
        });

        string text = terminal.Writer.ToString()!;
        Assert.Contains("188/188", text);
        Assert.DoesNotContain("Quantiles", text);
        Assert.Contains("300/70000", text);
        Assert.Contains("student-autoencoder", text);
        Assert.Contains("1.0e-4", text);
        Assert.Contains("0.2500", text);
        Assert.Contains('█', text);
    }

    [Fact]
    public void Curve_FallsWithTheLossAndStaysShort()
    {
        var history = new LossHistory();
        for (int step = 1; step <= 5_000; step++) history.Add(new StepLosses(100f / step, 0, 0, 0));
        string curve = history.Curve();
        Assert.InRange(curve.Length, 32, 64);
        Assert.Equal('█', curve[0]);
        Assert.Equal('▁', curve[^1]);
        Assert.Equal(string.Concat(curve.OrderDescending()), curve);
    }

    [Fact]
    public void SmoothedLosses_AreMeansFromTheFirstStepOn()
    {
        var history = new LossHistory();
        history.Add(new StepLosses(2, 4, 6, 8));
        Assert.Equal(new StepLosses(2, 4, 6, 8), Rounded(history.Smoothed));
        for (int i = 0; i < 500; i++) history.Add(new StepLosses(1, 1, 1, 1));
        Assert.Equal(new StepLosses(1, 1, 1, 1), Rounded(history.Smoothed));

        static StepLosses Rounded(StepLosses losses) => new(
            MathF.Round(losses.Hard, 4), MathF.Round(losses.Penalty, 4),
            MathF.Round(losses.Autoencoder, 4), MathF.Round(losses.StudentAutoencoder, 4));
    }

    [Theory]
    [InlineData(0.4, "0:00")]
    [InlineData(59.6, "1:00")]
    [InlineData(754, "12:34")]
    [InlineData(3723, "1:02:03")]
    [InlineData(360_000, "100:00:00")]
    public void Durations_ReadLikeAClock(double seconds, string expected) =>
        Assert.Equal(expected, Durations.Format(TimeSpan.FromSeconds(seconds)));

    private sealed class Terminal : IAnsiConsoleOutput
    {
        public TextWriter Writer { get; } = new StringWriter();

        public bool IsTerminal => true;

        public int Width => 80;

        public int Height => 25;

        public void SetEncoding(Encoding encoding) { }
    }
}
