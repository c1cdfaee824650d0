namespace EfficientAD.Cli.Output;

internal static class Durations
{
    /// <summary>0:08, 12:34, 1:02:03.</summary>
    public static string Format(TimeSpan time)
    {
        var whole = TimeSpan.FromSeconds(Math.Round(time.TotalSeconds));
        return whole < TimeSpan.FromHours(1) ? whole.ToString(@"m\:ss") : $"{(int)whole.TotalHours}:{whole:mm\\:ss}";
    }
}
