using EfficientAD.Detection;
using EfficientAD.Evaluation;

namespace EfficientAD.Cli.Reports;

/// <summary>Images of the report under one heading.</summary>
/// <param name="Omitted">How many more belong here but are left out.</param>
internal sealed record GallerySection(
    string Title, string Explanation, IReadOnlyList<ImageEvaluation> Images, int Omitted);

/// <summary>Which images a reader should see: the mistakes first, all if they are not very many, then the extremes of
/// each kind of defect and of the good images. No image appears twice.</summary>
internal static class Gallery
{
    private const int MostMistakes = 60, Extremes = 3;

    public static IReadOnlyList<GallerySection> Select(EvaluationResult result)
    {
        var sections = new List<GallerySection>();
        AddMistakes("Missed defects", "Anomalous images with a score at or below the threshold, the lowest first.",
            result.Images.Where(image => image.IsFalseNegative).OrderBy(image => image.Score));
        AddMistakes("False alarms", "Good images with a score above the threshold, the highest first.",
            result.Images.Where(image => image.IsFalsePositive).OrderByDescending(image => image.Score));

        foreach (string defect in result.PerDefect.Keys)
            AddExtremes($"Defect: {defect}", result.Images.Where(image => !image.IsGood && image.Defect == defect));
        AddExtremes("Good images", result.Images.Where(image => image.IsGood));
        return sections;

        void AddMistakes(string title, string explanation, IEnumerable<ImageEvaluation> images)
        {
            ImageEvaluation[] all = [.. images];
            ImageEvaluation[] shown = [.. all.Take(MostMistakes)];
            if (all.Length > 0)
                sections.Add(new($"{title} ({all.Length})", explanation, shown, all.Length - shown.Length));
        }

        void AddExtremes(string title, IEnumerable<ImageEvaluation> images)
        {
            ImageEvaluation[] right = [.. images
                .Where(image => image.Verdict != Verdict.Invalid && !image.IsFalseNegative && !image.IsFalsePositive)
                .OrderByDescending(image => image.Score)];
            ImageEvaluation[] shown =
                right.Length <= 2 * Extremes ? right : [.. right[..Extremes], .. right[^Extremes..]];
            if (shown.Length == 0) return;
            string explanation = shown.Length == right.Length
                ? "Judged rightly, the highest score first."
                : $"Judged rightly: the {Extremes} highest and the {Extremes} lowest scores of {right.Length}.";
            sections.Add(new(title, explanation, shown, 0));
        }
    }
}
