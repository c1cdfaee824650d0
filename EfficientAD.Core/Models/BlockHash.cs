using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EfficientAD.Models;

/// <summary>XXH3 with 128 bits (seed 0) of bytes that come in pieces: what <see cref="XxHash128"/> gives.</summary>
/// <remarks>The library's many small methods run unoptimised in a process that has just started, which is when files
/// are opened. Here whole blocks go through one method that is optimised before its first call. Specification:
/// github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md.</remarks>
internal sealed class BlockHash
{
    private const int StripeBytes = 64, SecretStep = 8, BlockBytes = 1024, LongestShortInput = 240;
    private const ulong Prime1 = 0x9E3779B185EBCA87, Prime2 = 0xC2B2AE3D27D4EB4F, Prime3 = 0x165667B19E3779F9;
    private const ulong Prime4 = 0x85EBCA77C2B2AE63, Prime5 = 0x27D4EB2F165667C5;
    private const uint Prime32One = 0x9E3779B1, Prime32Two = 0x85EBCA77, Prime32Three = 0xC2B2AE3D;

    // The last bytes: a block is taken in once more follow, since the last stripe is treated otherwise. Before them the
    // end of the block before, in which that stripe may begin.
    private readonly byte[] _buffer = new byte[StripeBytes + BlockBytes];
    private int _buffered;
    private ulong _length;
    private Vector512<ulong> _sums = Vector512.Create(
        Prime32Three, Prime1, Prime2, Prime3, Prime4, Prime32Two, Prime5, Prime32One);

    private static ReadOnlySpan<byte> Secret =>
    [
        0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
        0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
        0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
        0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
        0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
        0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
        0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
        0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
        0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
        0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
        0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
        0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
    ];

    /// <summary>Of all bytes so far; more may follow.</summary>
    public UInt128 Value
    {
        get
        {
            Span<byte> last = _buffer.AsSpan(StripeBytes, _buffered);
            if (_length <= LongestShortInput) return XxHash128.HashToUInt128(last);
            int whole = (_buffered - 1) / StripeBytes;
            Vector512<ulong> sums = AddStripes(_sums, last, Secret, whole);
            ReadOnlySpan<byte> lastKey = Secret[(Secret.Length - StripeBytes - 7)..];
            sums = AddStripes(sums, _buffer.AsSpan(_buffered, StripeBytes), lastKey, 1);
            ulong low = Merge(sums, Secret[11..], _length * Prime1);
            ulong high = Merge(sums, Secret[(Secret.Length - StripeBytes - 11)..], ~(_length * Prime2));
            return new UInt128(high, low);
        }
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        _length += (ulong)bytes.Length;
        while (_buffered + bytes.Length > BlockBytes)
        {
            if (_buffered > 0)
            {
                int missing = BlockBytes - _buffered;
                bytes[..missing].CopyTo(_buffer.AsSpan(StripeBytes + _buffered));
                bytes = bytes[missing..];
                _sums = AddBlocks(_sums, _buffer.AsSpan(StripeBytes), Secret, 1);
                _buffer.AsSpan(BlockBytes).CopyTo(_buffer);
                _buffered = 0;
                continue;
            }

            int blocks = (bytes.Length - 1) / BlockBytes;
            _sums = AddBlocks(_sums, bytes, Secret, blocks);
            bytes.Slice(blocks * BlockBytes - StripeBytes, StripeBytes).CopyTo(_buffer);
            bytes = bytes[(blocks * BlockBytes)..];
        }

        bytes.CopyTo(_buffer.AsSpan(StripeBytes + _buffered));
        _buffered += bytes.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector512<ulong> AddBlocks(
        Vector512<ulong> sums, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> secret, int blocks)
    {
        Vector512<ulong> lastKey = Read(secret, secret.Length - StripeBytes);
        for (int block = 0; block < blocks; block++)
        {
            sums = AddStripes(sums, bytes.Slice(block * BlockBytes, BlockBytes), secret, BlockBytes / StripeBytes);
            sums = (sums ^ (sums >>> 47) ^ lastKey) * Prime32One;
        }

        return sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> AddStripes(
        Vector512<ulong> sums, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> secret, int stripes)
    {
        var total = Vector512<ulong>.Zero;
        for (int stripe = 0; stripe < stripes; stripe++)
        {
            Vector512<ulong> data = Read(bytes, stripe * StripeBytes), key = data ^ Read(secret, stripe * SecretStep);
            total += data;
            sums += (key & Vector512.Create((ulong)uint.MaxValue)) * (key >>> 32);
        }

        return sums + Vector512.Shuffle(total, Vector512.Create(1UL, 0, 3, 2, 5, 4, 7, 6));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Read(ReadOnlySpan<byte> bytes, int offset) =>
        Vector512.Create(bytes.Slice(offset, StripeBytes)).AsUInt64();

    private static ulong Merge(Vector512<ulong> sums, ReadOnlySpan<byte> secret, ulong start)
    {
        ulong result = start;
        for (int i = 0; i < Vector512<ulong>.Count; i += 2)
        {
            ulong high = Math.BigMul(sums[i] ^ Key(secret, i), sums[i + 1] ^ Key(secret, i + 1), out ulong low);
            result += low ^ high;
        }

        result = (result ^ (result >> 37)) * 0x165667919E3779F9;
        return result ^ (result >> 32);

        static ulong Key(ReadOnlySpan<byte> secret, int i) =>
            BinaryPrimitives.ReadUInt64LittleEndian(secret[(8 * i)..]);
    }
}
