using System.Security.Cryptography;
using System.Text;

namespace EfficientAD.Kernels.Compiler;

/// <summary>One .cu file and the headers beside it.</summary>
internal sealed record KernelSource(string Name, string Text, IReadOnlyDictionary<string, string> Headers)
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

    /// <summary>SHA-256 of the file and of every header, in hexadecimal: what the PTX was made from.</summary>
    public string Hash
    {
        get
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (string text in Headers.Values.Prepend(Text)) hash.AppendData(Encoding.UTF8.GetBytes(text + "\0"));
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }

    /// <summary>Line ends as in the repository, whatever the checkout made of them.</summary>
    private static string Read(string path) => File.ReadAllText(path).ReplaceLineEndings("\n");
}
