using System.Globalization;

namespace EfficientAD.Training;

/// <summary>Ends a run whose loss on held-back good images no longer falls. It does not break off: the learning rate
/// first falls to a hundredth within a last tenth of the steps, without which the noise of the last steps would stay in
/// the weights.</summary>
/// <param name="interval">Steps between two looks at the held-back images; a short run looks more often.</param>
internal sealed class EarlyStop(int interval)
{
    // Five looks in a row without a gain of a hundredth: the loss of a few images is noisy.
    private const int Patience = 5;
    private const float SmallestGain = 0.01f, LastRate = 0.01f;
    private const double LastShare = 0.1;
    private const int FewestLooks = 20;  // of a run that takes all its steps

    private float _best = float.PositiveInfinity, _rate;
    private int _stale, _from = -1, _end;

    /// <summary>Where the run ends; null as long as the loss falls.</summary>
    public int? End => _from < 0 ? null : _end;

    /// <summary>What a checkpoint keeps, in one line.</summary>
    public string State => string.Create(CultureInfo.InvariantCulture, $"{_best:R} {_rate:R} {_stale} {_from} {_end}");

    /// <summary>Goes on from a <see cref="State"/>; false, with nothing changed, where the text is none.</summary>
    public bool TryRestore(string state)
    {
        if (state.Split(' ') is not [var best, var rate, var stale, var from, var end]
            || !TryNumber(best, out float bestLoss) || !TryNumber(rate, out float lastRate)
            || !TryInteger(stale, out int staleLooks)
            || !TryInteger(from, out int first) || !TryInteger(end, out int last)
            || (first >= 0 && last <= first))
        {
            return false;
        }

        (_best, _rate, _stale, _from, _end) = (bestLoss, lastRate, staleLooks, first, last);
        return true;
    }

    /// <summary>Whether the held-back images are looked at behind this step, counted from 0.</summary>
    /// <param name="steps">Of the whole run, as planned.</param>
    public bool IsDue(int step, int steps) =>
        _from < 0 && (step + 1) % Math.Clamp(steps / FewestLooks, 1, interval) == 0;

    /// <param name="steps">Of the whole run, as planned: it never ends later.</param>
    /// <param name="loss">Of the held-back images behind this step.</param>
    /// <param name="learningRate">Of this step.</param>
    public void Add(int step, int steps, float loss, float learningRate)
    {
        if (loss < (1 - SmallestGain) * _best)
        {
            (_best, _stale) = (loss, 0);
            return;
        }

        if (++_stale < Patience || step + 1 >= steps) return;
        (_from, _rate) = (step + 1, learningRate);
        _end = Math.Min(_from + Math.Max(1, (int)(LastShare * _from)), steps);
    }

    /// <summary>The rate of a step: the planned one, or the falling one of the end.</summary>
    public float LearningRateAt(int step, float planned) =>
        _from < 0 ? planned : _rate * (1 - (1 - LastRate) * (step - _from + 1) / (_end - _from));

    private static bool TryNumber(string text, out float value) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    private static bool TryInteger(string text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
}
