using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace EfficientAD.Data;

/// <summary>A fingerprint of image files, which a model keeps to say what it was trained on.</summary>
public static class DatasetHash
{
    /// <summary>SHA-256 over the files' names and contents, in ordinal order of the names.</summary>
    /// <param name="root">Names are relative to it, with '/': the hash is the same wherever the folder lies.</param>
    /// <param name="paths">The files.</param>
    /// <returns>"sha256:" and 64 hexadecimal digits.</returns>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static string Compute(string root, IEnumerable<string> paths, CancellationToken cancellation = default)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[sizeof(int)];
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        var files = paths.Select(path => (Path: path, Name: Path.GetRelativePath(root, path).Replace('\\', '/')));
        foreach (var (path, name) in files.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            byte[] utf8 = Encoding.UTF8.GetBytes(name);
            BinaryPrimitives.WriteInt32LittleEndian(length, utf8.Length);
            using var content = File.OpenRead(path);
            SHA256.HashData(content, digest);
            hash.AppendData(length);
            hash.AppendData(utf8);
            hash.AppendData(digest);
        }
        return $"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }
}
