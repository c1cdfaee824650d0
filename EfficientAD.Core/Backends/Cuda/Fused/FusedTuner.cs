using System.Globalization;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>A fused convolution, as far as its time depends on it.</summary>
/// <param name="Kernels">The kernels' names but for their tile.</param>
/// <param name="Rows">Output pixels, before pooling.</param>
/// <param name="Columns">Tiles of output channels.</param>
/// <param name="Depth">Products of an output.</param>
internal readonly record struct TiledProblem(string Kernels, int Rows, int Columns, int Depth)
{
    /// <summary>The name under which the choice is remembered.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Kernels.TrimEnd('_')} {Rows} x {Columns} x {Depth}");
}

/// <summary>Picks the tile that computes a fused convolution fastest, by trying each once, and remembers it. The bits
/// of a result do not depend on it.</summary>
/// <param name="time">Milliseconds that work takes once it is warm.</param>
internal sealed class FusedTuner(TuningCache cache, Func<Action, double> time)
{
    private readonly Dictionary<TiledProblem, FusedTile> _choices = [];

    /// <summary>The remembered choice; null where there is none yet.</summary>
    public FusedTile? Find(TiledProblem problem)
    {
        if (_choices.TryGetValue(problem, out FusedTile? known)) return known;
        string? name = cache.Find(problem.ToString());
        FusedTile? remembered = FusedTile.All.FirstOrDefault(tile => tile.Name == name);
        if (remembered is not null) _choices[problem] = remembered;
        return remembered;
    }

    /// <summary>Tries all tiles, and remembers the fastest.</summary>
    /// <param name="launch">Computes the same at every call.</param>
    public FusedTile Measure(TiledProblem problem, Action<FusedTile> launch)
    {
        FusedTile best = FusedTile.All.MinBy(tile => time(() => launch(tile)))!;
        cache.Add(problem.ToString(), best.Name);
        return _choices[problem] = best;
    }
}
