using EfficientAD.Tensors;

namespace EfficientAD.Cli.Demo;

/// <summary>The kinds of defects; their names in lower case are the folders' names.</summary>
internal enum DefectKind { Scratch, Stain, Chip, Missing, Doubled, Misplaced }

/// <summary>What is wrong with one part.</summary>
internal sealed record Defect
{
    // Where on the part no component hides a blemish.
    private static readonly Area[] FreeAreas =
    [
        new(-64, -65, 64, -49), new(-64, 49, 64, 65), new(-89, -42, -79, -8), new(-89, 17, -79, 42),
        new(46, -33, 78, 5), new(-68, 13, 28, 36),
    ];

    // Where a screw can come to lie on the housing.
    private static readonly (float U, float V)[] Ledges =
        [(-58, -57), (-22, -57), (5, -57), (-60, 57), (-6, 57), (24, 57)];

    /// <summary>A piece of the housing broken off.</summary>
    public ChipShape? Chip { get; private init; }

    /// <summary>Something on the surface; a function of the part's placement.</summary>
    public Func<Placement, Blemish>? Blemish { get; private init; }

    /// <summary>Index in <see cref="Component.Nominal"/> of what is not in its place.</summary>
    public int? Missing { get; private init; }

    /// <summary>What lies where nothing belongs.</summary>
    public Component? Extra { get; private init; }

    /// <param name="severity">0 (hard to see) to 1 (plain).</param>
    public static Defect Draw(DefectKind kind, CounterRandom random, float severity) => kind switch
    {
        DefectKind.Scratch => DrawScratch(random, severity),
        DefectKind.Stain => DrawStain(random, severity),
        DefectKind.Chip => DrawChip(random, severity),
        DefectKind.Missing => new Defect { Missing = random.Below(0, Component.Nominal.Length) },
        DefectKind.Doubled => DrawDoubled(random, severity),
        DefectKind.Misplaced => DrawMisplaced(random, severity),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of defect."),
    };

    private static Defect DrawScratch(CounterRandom random, float severity)
    {
        var area = FreeAreas[random.Below(0, FreeAreas.Length)];
        float longer = Math.Max(area.Right - area.Left, area.Bottom - area.Top);
        float reach = Math.Min(0.5f + 0.5f * severity, 75 / longer), start = random.Uniform(1, 0, 1 - reach);
        float drift0 = random.Uniform(2), drift1 = random.Uniform(3);
        bool isWide = longer == area.Right - area.Left;                // scratches run along the longer side
        var from = isWide ? area.At(start, drift0) : area.At(drift0, start);
        var to = isWide ? area.At(start + reach, drift1) : area.At(drift1, start + reach);
        var middle = ((from.U + to.U) / 2 + random.Uniform(4, -6, 6), (from.V + to.V) / 2 + random.Uniform(5, -6, 6));
        float width = 0.5f + 0.9f * severity * random.Uniform(6, 0.5f, 1), depth = 0.55f + 0.45f * severity;
        return new Defect { Blemish = part => new Scratch(part, [from, middle, to], width, depth) };
    }

    private static Defect DrawStain(CounterRandom random, float severity)
    {
        var (u, v) = FreeAreas[random.Below(0, FreeAreas.Length)].At(random.Uniform(1), random.Uniform(2));
        float radius = 5.5f + 9 * severity * random.Uniform(3, 0.4f, 1), density = 0.25f + 0.6f * severity;
        var shape = new StainShape(u, v, radius, random.Uniform(4, -3, 3), random.Uniform(5, 0, 256));
        var liquid = (StainKind)random.Below(6, 4);
        return new Defect { Blemish = part => new Stain(part, shape, liquid, density) };
    }

    private static Defect DrawChip(CounterRandom random, float severity)
    {
        float along = random.Uniform(1, -1, 1), u = Housing.HalfWidth, v = Housing.HalfHeight;
        (u, v) = random.Below(0, 6) switch
        {
            0 => (along * 78, -v),
            1 => (along * 78, v),
            2 => (u, along * 56),
            3 => (-u, along < 0 ? -18 + along * 40 : 22 + along * 36),  // the notch lies between
            4 => (along < 0 ? -u + 2 : u - 2, -v + 2),
            _ => (along < 0 ? -u + 2 : u - 2, v - 2),
        };
        float radius = 4.5f + 5 * severity + random.Uniform(2, 0, 1.5f);
        return new Defect { Chip = new ChipShape(u, v, radius, random.Uniform(3, 0, 256)) };
    }

    private static Defect DrawDoubled(CounterRandom random, float severity)
    {
        float du = random.Uniform(1, -2, 2), dv = random.Uniform(2, -2, 2), turn = random.Uniform(3, -1, 1);
        var kind = (ComponentKind)random.Below(0, 5);
        var place = kind switch
        {
            ComponentKind.Screw => Ledge(random, 4),
            ComponentKind.Capacitor => Placement.At(7 + du, 26 + dv, 40 * turn),
            ComponentKind.Crystal => Placement.At(-2 + du, 26 + dv, 60 + 20 * turn),
            ComponentKind.Connector => Placement.At(2 + 8 * turn, 57 + dv / 4, 3 * turn),
            _ => Placement.At(62 - 3 + du, -14 - 5 - 6 * severity, Sign(turn) * (3 + 6 * severity)),
        };
        return new Defect { Extra = new Component(kind, place) };
    }

    private static Defect DrawMisplaced(CounterRandom random, float severity)
    {
        int index = random.Below(0, Component.Nominal.Length);
        var nominal = Component.Nominal[index];
        float turn = random.Uniform(1, -1, 1), du = random.Uniform(2, -2, 2), dv = random.Uniform(3, -2, 2);
        int side = Sign(turn);
        var place = nominal.Kind switch
        {
            ComponentKind.Screw => Ledge(random, 4),
            ComponentKind.Capacitor => Placement.At(7 + du, 26 + dv, 40 * turn),
            ComponentKind.Crystal => Moved(du, 2 + 3 * severity, side * (12 + 30 * severity)),
            ComponentKind.Connector => Moved(-3 - 3 * severity, 3 + 4 * severity, 6 * turn),
            _ => Moved(-2 - du / 2, -3 - 5 * severity, side * (4 + 8 * severity)),
        };
        return new Defect { Missing = index, Extra = new Component(nominal.Kind, place) };

        Placement Moved(float u, float v, float degrees) => nominal.Placement.Of(Placement.At(u, v, degrees));
    }

    private static Placement Ledge(CounterRandom random, ulong first)
    {
        var (u, v) = Ledges[random.Below(first, Ledges.Length)];
        (u, v) = (u + random.Uniform(first + 1, -5, 5), v + random.Uniform(first + 2, -2, 2));
        return Placement.At(u, v, random.Uniform(first + 3, -90, 90));
    }

    private static int Sign(float value) => value < 0 ? -1 : 1;

    private readonly record struct Area(float Left, float Top, float Right, float Bottom)
    {
        /// <summary>A point by its fractions of width and height.</summary>
        public (float U, float V) At(float x, float y) => (Left + x * (Right - Left), Top + y * (Bottom - Top));
    }
}
