using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace EfficientAD.Kernels.Compiler;

/// <summary>One .cu file and the headers beside it.</summary>
internal sealed partial record KernelSource(string Name, string Text, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>All of a folder, by name.</summary>
    public static KernelSource[] ReadAll(string folder)
    {
        var headers = new SortedDictionary<string, string>(
            Directory.EnumerateFiles(folder, "*.cuh").ToDictionary(path => Path.GetFileName(path), Read),
            StringComparer.Ordinal);
        return [.. Directory.EnumerateFiles(folder, "*.cu").Order(StringComparer.Ordinal)
            .Select(path => new KernelSource(Path.GetFileNameWithoutExtension(path), Read(path), headers))];
    }

    /// <summary>SHA-256 of the file and of every header that it includes, in hexadecimal: what the PTX was made
    /// from.</summary>
    public string Hash
    {
        get
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (string text in Included().Prepend(Text)) hash.AppendData(Encoding.UTF8.GetBytes(text + "\0"));
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }

    /// <summary>Directly or through another header, in the order of their names.</summary>
    private IEnumerable<string> Included()
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([Text]);
        while (open.TryPop(out string? text))
        {
            foreach (Match match in IncludeLine().Matches(text))
            {
                string name = match.Groups["name"].Value;
                if (Headers.TryGetValue(name, out string? header) && names.Add(name)) open.Push(header);
            }
        }

        return names.Select(name => Headers[name]);
    }

    [GeneratedRegex(@"^\s*#\s*include\s+""(?<name>[^""]+)""", RegexOptions.Multiline)]
    private static partial Regex IncludeLine();

    /// <summary>Line ends as in the repository, whatever the checkout made of them.</summary>
    private static string Read(string path) => File.ReadAllText(path).ReplaceLineEndings("\n");
}
