using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace EfficientAD.Tests.Models.Archives;

/// <summary>Writes zip archives by hand, sound ones and others.</summary>
internal static class ZipBytes
{
    /// <param name="forge">Changes the archive's bytes before they are returned; given where the directory
    /// begins.</param>
    public static byte[] Write(IEnumerable<(string Name, byte[] Content)> entries, Action<byte[], int>? forge = null)
    {
        var archive = new List<byte>();
        var directory = new List<byte>();
        int count = 0;
        foreach ((string name, byte[] content) in entries)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(name);
            byte[] common = new byte[26];  // from "version needed" to the lengths of name and extra field
            common[0] = 20;
            BinaryPrimitives.WriteUInt32LittleEndian(common.AsSpan(10), Crc32.HashToUInt32(content));
            BinaryPrimitives.WriteInt32LittleEndian(common.AsSpan(14), content.Length);
            BinaryPrimitives.WriteInt32LittleEndian(common.AsSpan(18), content.Length);
            BinaryPrimitives.WriteInt16LittleEndian(common.AsSpan(22), (short)utf8.Length);
            byte[] rest = new byte[14];
            BinaryPrimitives.WriteInt32LittleEndian(rest.AsSpan(10), archive.Count);
            directory.AddRange([.. "PK\u0001\u0002"u8, 20, 0, .. common, .. rest, .. utf8]);
            archive.AddRange([.. "PK\u0003\u0004"u8, .. common, .. utf8, .. content]);
            count++;
        }

        byte[] end = new byte[22];
        "PK\u0005\u0006"u8.CopyTo(end);
        BinaryPrimitives.WriteInt16LittleEndian(end.AsSpan(8), (short)count);
        BinaryPrimitives.WriteInt16LittleEndian(end.AsSpan(10), (short)count);
        BinaryPrimitives.WriteInt32LittleEndian(end.AsSpan(12), directory.Count);
        BinaryPrimitives.WriteInt32LittleEndian(end.AsSpan(16), archive.Count);
        byte[] bytes = [.. archive, .. directory, .. end];
        forge?.Invoke(bytes, archive.Count);
        return bytes;
    }
}
