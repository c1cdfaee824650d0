using System.Globalization;

namespace EfficientAD.Detection;

/// <summary>How far detection in numbers of 8 bits is from float32 on good images. No unit: scores have none.</summary>
/// <param name="Images">How many were compared.</param>
/// <param name="ScoreShift">Largest change of a score.</param>
/// <param name="MapShift">Largest change of a value of a map.</param>
public readonly record struct PrecisionParity(int Images, float ScoreShift, float MapShift)
{
    /// <summary>Most that a score may change by, in standard deviations of the good scores: about what the mean of
    /// sixteen good scores, on which a threshold rests, is uncertain by. If all scores rose by so much, a threshold
    /// that one good image in a hundred passes would be passed by two.</summary>
    public const float MostScoreShift = 0.25f;

    /// <summary>Fewer good images tell too little of the largest change.</summary>
    public const int FewestImages = 8;

    /// <summary>Most that any value of a map may change by, likewise.</summary>
    public const float MostMapShift = 1;

    /// <summary>Why a detector must not compute so, in a sentence; null where it may.</summary>
    /// <param name="precision">Its name.</param>
    public string? FindFault(string precision, Calibration calibration)
    {
        if (Images < FewestImages)
        {
            return $"{precision} was compared on {Images} good images only, and {FewestImages} are needed: run " +
                "efficientad calibrate --eight-bits on more.";
        }

        (float score, float map) = (ScoreShift / calibration.Scale, MapShift / calibration.Scale);
        (string What, float Shift, float Relative, float Most)? fault =
            !(score <= MostScoreShift) ? ("scores", ScoreShift, score, MostScoreShift)
            : !(map <= MostMapShift) ? ("maps", MapShift, map, MostMapShift)
            : null;
        return fault is not { } found
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{precision} moves {found.What} of {Images} good images by up to {found.Shift:g3}, " +
                $"{found.Relative:0.00} of their scores' standard deviation, and {found.Most} is allowed.");
    }
}
