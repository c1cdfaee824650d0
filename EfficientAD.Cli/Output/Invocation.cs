namespace EfficientAD.Cli.Output;

/// <summary>How to call this program again.</summary>
internal static class Invocation
{
    private const string PlainCharacters = "_-./\\:=@%+,";

    /// <summary>A command line for the user's shell, in the current folder.</summary>
    public static string Describe(IEnumerable<string> arguments) =>
        string.Join(' ', Program().Concat(arguments).Select(Quote));

    /// <summary>The bare name where the shell finds it, else its path, from here if it lies below; where dotnet runs
    /// the assembly, both.</summary>
    private static string[] Program()
    {
        string path = Environment.ProcessPath ?? "efficientad";
        return Path.GetFileNameWithoutExtension(path) == "dotnet"
            ? ["dotnet", Shortest(Environment.GetCommandLineArgs()[0])]
            : [Shortest(path)];
    }

    private static string Shortest(string path)
    {
        string folder = Path.GetDirectoryName(path) ?? "";
        string[] searched = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (searched.Contains(folder)) return Path.GetFileNameWithoutExtension(path);
        string relative = Path.GetRelativePath(".", path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }

    private static string Quote(string argument)
    {
        bool isPlain = argument.All(c => char.IsAsciiLetterOrDigit(c) || PlainCharacters.Contains(c));
        if (isPlain && argument != "") return argument;
        if (!OperatingSystem.IsWindows()) return $"'{argument.Replace("'", "'\\''")}'";
        return $"\"{argument.Replace("\"", "\\\"")}\"";
    }
}
