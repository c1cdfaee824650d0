using EfficientAD.Training;

namespace EfficientAD.Cli.Output;

/// <summary>The losses of a run, smoothed for the eye: single steps see single images and scatter.</summary>
internal sealed class LossHistory
{
    private const int Bins = 64;
    private const float Retained = 0.95f;
    private const string Levels = "▁▂▃▄▅▆▇█";

    private readonly List<float> _means = [];
    private int _binLength = 1, _inBin;
    private float _sum, _weight;

    /// <summary>Running mean over about the last 20 steps.</summary>
    public StepLosses Smoothed { get; private set; }

    public void Add(StepLosses losses)
    {
        // A mean whose weights fall by a fixed factor per step and sum to 1 from the first step on.
        float weight = Retained * _weight + 1, share = 1 / weight;
        Smoothed = new StepLosses(
            Mix(Smoothed.Hard, losses.Hard), Mix(Smoothed.Penalty, losses.Penalty),
            Mix(Smoothed.Autoencoder, losses.Autoencoder),
            Mix(Smoothed.StudentAutoencoder, losses.StudentAutoencoder));
        _weight = weight;

        _sum += losses.Total;
        if (++_inBin < _binLength) return;
        _means.Add(_sum / _inBin);
        (_sum, _inBin) = (0, 0);
        if (_means.Count == Bins) Halve();

        float Mix(float mean, float value) => mean + share * (value - mean);
    }

    /// <summary>The total loss since the first step as a curve of one line, logarithmic.</summary>
    public string Curve()
    {
        if (_means.Count == 0) return "";
        double low = Math.Log(_means.Min()), range = Math.Max(Math.Log(_means.Max()) - low, 1e-3);
        return string.Concat(_means.Select(mean =>
            Levels[Math.Clamp((int)((Math.Log(mean) - low) / range * Levels.Length), 0, Levels.Length - 1)]));
    }

    private void Halve()
    {
        float[] halved = [.. _means.Chunk(2).Select(pair => pair.Average())];
        _means.Clear();
        _means.AddRange(halved);
        _binLength *= 2;
    }
}
