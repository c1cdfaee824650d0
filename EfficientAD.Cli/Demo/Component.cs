using EfficientAD.Tensors;

namespace EfficientAD.Cli.Demo;

internal enum ComponentKind { Screw, Capacitor, Crystal, Connector, Label }

/// <summary>A component and where it lies on the part.</summary>
internal readonly record struct Component(ComponentKind Kind, Placement Placement)
{
    /// <summary>The nine components that can be missing, doubled or misplaced.</summary>
    public static Component[] Nominal { get; } =
    [
        new(ComponentKind.Screw, Placement.At(-80, -57)), new(ComponentKind.Screw, Placement.At(80, -57)),
        new(ComponentKind.Screw, Placement.At(-80, 57)), new(ComponentKind.Screw, Placement.At(80, 57)),
        new(ComponentKind.Capacitor, Placement.At(15, -21)), new(ComponentKind.Capacitor, Placement.At(15, 0)),
        new(ComponentKind.Crystal, Placement.At(-10, -8)), new(ComponentKind.Connector, Placement.At(60, 30)),
        new(ComponentKind.Label, Placement.At(62, -14)),
    ];

    /// <summary>As assembled: nothing lies exactly in its place, but within what quality control accepts.</summary>
    public Component Assembled(CounterRandom random, ulong first)
    {
        (float shift, float turn) = Kind switch
        {
            ComponentKind.Screw => (0.2f, 90),
            ComponentKind.Capacitor => (0.5f, 4),
            ComponentKind.Label => (0.8f, 1.5f),
            _ => (0.4f, 1),
        };
        float u = random.Uniform(first, -shift, shift), v = random.Uniform(first + 1, -shift, shift);
        return this with { Placement = Placement.Of(Placement.At(u, v, random.Uniform(first + 2, -turn, turn))) };
    }

    /// <param name="serial">What a label says.</param>
    public Layer On(Placement part, int serial, bool isDefect = false)
    {
        var place = part.Of(Placement);
        return Kind switch
        {
            ComponentKind.Screw => new Screw(place, isDefect),
            ComponentKind.Capacitor => new Capacitor(place, isDefect),
            ComponentKind.Crystal => new Crystal(place, isDefect),
            ComponentKind.Connector => new Connector(place, isDefect),
            _ => new Label(place, serial, isDefect),
        };
    }

    /// <summary>What shows where the component is missing.</summary>
    public Layer SeatOn(Placement part)
    {
        var place = part.Of(Placement);
        return Kind switch
        {
            ComponentKind.Screw => new ScrewHole(place),
            ComponentKind.Capacitor => new CapacitorPads(place),
            ComponentKind.Crystal => new CrystalPads(place),
            ComponentKind.Connector => new ConnectorSeat(place),
            _ => new LabelSeat(place),
        };
    }
}
