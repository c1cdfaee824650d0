using EfficientAD.Data;
using EfficientAD.Detection;
using EfficientAD.Evaluation;
using EfficientAD.Imaging;
using EfficientAD.Models;
using EfficientAD.Training;

namespace EfficientAD.Benchmarks.Accuracy;

/// <summary>Trains models on a category and measures them on its test images, seed after seed; rows of a Markdown table
/// go to standard output as soon as they are known. What each run does is what <c>train</c> and <c>evaluate</c>
/// do.</summary>
internal sealed class AccuracyRuns : IDisposable
{
    private readonly AnomalyDataset _dataset;
    private readonly int _seeds;
    private readonly string _folder = Directory.CreateTempSubdirectory("efficientad").FullName;

    /// <exception cref="DatasetException">There are no test images.</exception>
    public AccuracyRuns(string data, int seeds)
    {
        (_dataset, _seeds) = (DatasetReader.Open(data), seeds);
        if (_dataset.Test.Count == 0) throw new DatasetException($"{data} has no test images.");
    }

    public AnomalyDataset Dataset => _dataset;

    /// <param name="first">Head of the first column.</param>
    public void WriteHead(string first)
    {
        Console.WriteLine($"{_dataset.Name}, percent, mean ± standard deviation over {_seeds} seeds");
        Console.WriteLine();
        Console.WriteLine($"| {first} | {Figures.Heads} |");
        Console.WriteLine("|---|---|---|---|---|---|");
    }

    /// <summary>A row of a recipe.</summary>
    /// <param name="length">Minutes, or steps where it is a whole number with <paramref name="isSteps"/>.</param>
    public void WriteRow(string name, Recipe recipe, double length, bool isSteps) =>
        WriteRow(name, seed => Train(recipe, length, isSteps, seed));

    /// <summary>A row of anything that has figures for a seed.</summary>
    public void WriteRow(string name, Func<ulong, Figures> run)
    {
        var runs = new List<Figures>();
        for (int seed = 1; seed <= _seeds; seed++)
        {
            Console.Error.WriteLine($"{name}, seed {seed} of {_seeds}");
            runs.Add(run((ulong)seed));
        }

        Console.WriteLine($"| {name} | {Figures.Row(runs)} |");
    }

    /// <summary>Measures a detector on the test images.</summary>
    public EvaluationResult Evaluate(Func<ImageView, BranchResults> detect)
    {
        using var evaluator = new Evaluator(_dataset, ImageReader.Default.ReadMask, _folder);
        foreach (TestSample sample in _dataset.Test)
            evaluator.AddBranches(sample, detect(ImageReader.Default.Read(sample.Path).View));
        return evaluator.Complete();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Figures Train(Recipe recipe, double length, bool isSteps, ulong seed)
    {
        string model = Path.Combine(_folder, "model.safetensors");
        File.Delete(model);
        var options = new TrainingOptions
        {
            Recipe = recipe,
            Steps = isSteps ? (int)length : null,
            Duration = isSteps ? null : TimeSpan.FromMinutes(length),
            Seed = seed,
            ModelPath = model,
        };
        ModelInformation information;
        using (var trainer = new EfficientADTrainer(_dataset, options)) information = trainer.Run();
        using AnomalyDetector detector = AnomalyDetector.Load(model);
        return Figures.Of(Evaluate(image => detector.DetectBranches(image)), information.Steps);
    }
}
