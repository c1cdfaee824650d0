using System.IO.Hashing;
using EfficientAD.Models;

namespace EfficientAD.Tests.Models;

public class BlockHashTests
{
    /// <summary>Around every length at which something changes: short inputs, stripes of 64, blocks of 1,024.</summary>
    public static TheoryData<int> Lengths =>
        [0, 1, 240, 241, 255, 256, 257, 1023, 1024, 1025, 1087, 1088, 1089, 2048, 2049, 10_000];

    [Theory, MemberData(nameof(Lengths))]
    public void Value_IsXxHash128OfTheSameBytes(int length)
    {
        byte[] bytes = Bytes(length);
        var hash = new BlockHash();
        hash.Add(bytes);
        Assert.Equal(XxHash128.HashToUInt128(bytes), hash.Value);
    }

    [Fact]
    public void Value_DoesNotDependOnThePieces()
    {
        byte[] bytes = Bytes(20_000);
        var random = new Random(2);
        for (int attempt = 0; attempt < 50; attempt++)
        {
            var hash = new BlockHash();
            for (int start = 0, length; start < bytes.Length; start += length)
            {
                length = Math.Min(random.Next(attempt < 25 ? 200 : 5000), bytes.Length - start);
                hash.Add(bytes.AsSpan(start, length));
                if (attempt == 0) Assert.Equal(XxHash128.HashToUInt128(bytes.AsSpan(0, start + length)), hash.Value);
            }

            Assert.Equal(XxHash128.HashToUInt128(bytes), hash.Value);
        }
    }

    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        return bytes;
    }
}
