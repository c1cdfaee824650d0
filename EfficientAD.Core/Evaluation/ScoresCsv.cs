using System.Globalization;
using System.Text;

namespace EfficientAD.Evaluation;

/// <summary>scores.csv: one line per image, for spreadsheets and scripts.</summary>
public static class ScoresCsv
{
    /// <summary>Writes path, label ("good" or the defect's name), score (the shortest digits that give the same float;
    /// NaN when invalid) and verdict, quoted as RFC 4180 asks, UTF-8, lines ending in LF.</summary>
    public static void Write(Stream stream, EvaluationResult result)
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        using var writer = new StreamWriter(stream, utf8, leaveOpen: true);
        writer.Write("path,label,score,verdict\n");
        foreach (ImageEvaluation image in result.Images)
        {
            string score = image.Score.ToString("R", CultureInfo.InvariantCulture);
            string verdict = image.Verdict.ToString().ToLowerInvariant();
            writer.Write($"{Field(image.Name)},{Field(image.Defect)},{score},{verdict}\n");
        }
    }

    private static string Field(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"")}\"";
}
