using System.Globalization;
using EfficientAD.Training;

namespace EfficientAD.Benchmarks.Accuracy;

/// <summary>Tables of accuracy that anybody can repeat: the paper's ablation, what minutes of training bring, and where
/// the method stands beside two simpler ones.</summary>
internal static class AccuracyModes
{
    /// <summary>The recipe with one of its parts left out at a time (paper, table 4).</summary>
    public static void Ablate(string[] arguments)
    {
        (string data, double steps, int seeds) = (Data(arguments), arguments.Number(1, 300), arguments.Number(2, 3));
        Recipe quick = Recipe.Quick;
        using var runs = new AccuracyRuns(data, seeds);
        runs.WriteHead("recipe quick");
        foreach ((string name, Recipe recipe) in new (string, Recipe)[]
        {
            ("all of it", quick),
            ("all places of the local map alike", quick with { WeighsPlaces = false }),
            ("one scale for both maps", quick with { SeparateMapScales = false }),
            ("mean squared error, no hard features", quick with { HardQuantile = 0 }),
            ("no penalty", quick with { Penalty = false }),
            ("no autoencoder", quick with { Autoencoder = false }),
            ("random student, no warm start", quick with { WarmStart = false }),
        })
        {
            runs.WriteRow(name, recipe, steps, isSteps: true);
        }
    }

    /// <summary>What more time brings.</summary>
    public static void Curve(string[] arguments)
    {
        string minutes = arguments.Length > 1 ? arguments[1] : "1,3,5,15";
        using var runs = new AccuracyRuns(Data(arguments), arguments.Number(2, 3));
        runs.WriteHead("minutes");
        foreach (string text in minutes.Split(','))
            runs.WriteRow(text, Recipe.Quick, double.Parse(text, CultureInfo.InvariantCulture), isSteps: false);
    }

    /// <summary>EfficientAD beside a nearest-neighbour method on the same teacher and a plain student.</summary>
    public static void Baselines(string[] arguments)
    {
        (string data, double minutes, int seeds) = (Data(arguments), arguments.Number(1, 3), arguments.Number(2, 3));
        using var runs = new AccuracyRuns(data, seeds);
        runs.WriteHead($"{minutes} minutes");
        runs.WriteRow("EfficientAD, recipe quick", Recipe.Quick, minutes, isSteps: false);
        runs.WriteRow("plain student-teacher", Recipe.StudentTeacher, minutes, isSteps: false);
        runs.WriteRow($"PatchCore-style, {NearestPatches.BankSize} patches (no training)", seed =>
        {
            using var patches = new NearestPatches(runs.Dataset, seed);
            return Figures.Of(runs.Evaluate(patches.Detect), steps: 0);
        });
    }

    private static string Data(string[] arguments) => arguments.Length > 0
        ? arguments[0]
        : throw new ArgumentException("Name the folder of a category: Benchmarks -- ablation DATA");
}
