using System.Buffers.Binary;

namespace EfficientAD.Imaging;

/// <summary>A JPEG's size and components, and how much of each component the scans have given so far.</summary>
internal sealed class JpegFrame
{
    public JpegFrame(ImageFile file, ReadOnlySpan<byte> header, bool progressive)
    {
        if (header.Length < 6 || header.Length != 6 + 3 * header[5])
            throw file.Damaged($"the frame's header holds {header.Length} bytes, which does not fit its components");
        if (header[0] != 8)
            throw file.Refuse($"JPEG with {header[0]} bits a sample is not read, only 8. Save it as 16-bit PNG.");
        if (header[5] is not (1 or 3))
            throw file.Refuse($"JPEG with {header[5]} components is not read, only with 1 or 3. Save it as RGB.");
        Height = BinaryPrimitives.ReadUInt16BigEndian(header[1..]);
        Width = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
        file.CheckSize(Width, Height);
        Progressive = progressive;

        var components = new List<Component>();
        for (ReadOnlySpan<byte> rest = header[6..]; !rest.IsEmpty; rest = rest[3..])
            components.Add(new Component(rest[0], rest[1] >> 4, rest[1] & 15));
        Components = components;
        bool distinct = components.DistinctBy(c => c.Id).Count() == components.Count;
        if (!distinct || components.Any(c => c.H is < 1 or > 4 || c.V is < 1 or > 4))
            throw file.Damaged($"the frame's components are damaged");

        int maxH = components.Max(c => c.H), maxV = components.Max(c => c.V);
        (UnitsX, UnitsY) = (CeilingOf(Width, 8 * maxH), CeilingOf(Height, 8 * maxV));
        foreach (Component c in components)
        {
            c.BlocksX = CeilingOf(CeilingOf(Width * c.H, maxH), 8);
            c.BlocksY = CeilingOf(CeilingOf(Height * c.V, maxV), 8);
            c.Stride = UnitsX * c.H;
            if (progressive) c.NonZero = new ulong[c.Stride * UnitsY * c.V];
        }
    }

    public int Width { get; }

    public int Height { get; }

    public bool Progressive { get; }

    public IReadOnlyList<Component> Components { get; }

    /// <summary>Minimum coded units of an interleaved scan, across.</summary>
    public int UnitsX { get; }

    /// <summary>Minimum coded units of an interleaved scan, down.</summary>
    public int UnitsY { get; }

    /// <summary>Refuses a picture of which scans are missing.</summary>
    public void CheckComplete(ImageFile file)
    {
        int incomplete = Components.Sum(c => c.MissingBits.Count(bits => bits != 0));
        if (incomplete > 0)
            throw file.Damaged($"the file is cut: {incomplete} of {64 * Components.Count} frequencies lack a scan");
    }

    private static int CeilingOf(int value, int divisor) => (value + divisor - 1) / divisor;

    /// <param name="Id">The number by which scans name it.</param>
    /// <param name="H">Blocks across in a minimum coded unit.</param>
    /// <param name="V">Blocks down in a minimum coded unit.</param>
    public sealed record Component(byte Id, int H, int V)
    {
        /// <summary>A frequency that no scan has touched.</summary>
        public const byte Unseen = 255;

        /// <summary>Blocks across and down of a scan with this component alone.</summary>
        public int BlocksX { get; set; }

        /// <inheritdoc cref="BlocksX"/>
        public int BlocksY { get; set; }

        /// <summary>Blocks across with those that only fill up the last unit.</summary>
        public int Stride { get; set; }

        /// <summary>Per frequency the low bits still to come.</summary>
        public byte[] MissingBits { get; } = Enumerable.Repeat(Unseen, 64).ToArray();

        /// <summary>Progressive only: per block which frequencies are not zero, on which the length of later scans
        /// depends.</summary>
        public ulong[] NonZero { get; set; } = [];
    }
}
