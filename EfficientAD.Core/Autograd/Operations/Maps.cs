using EfficientAD.Tensors;

namespace EfficientAD.Autograd.Operations;

/// <summary>Anomaly maps: computed after training, so without backward passes.</summary>
public static class MapOperations
{
    /// <summary>Mean over channels of (a - b)^2: [n, c, h, w] -> [n, 1, h, w] (paper, section 3.4).</summary>
    public static Variable SquaredDifferenceMap(this Tape tape, Variable a, Variable b)
    {
        RequireFrozen(a);
        RequireFrozen(b);
        Tensor map = tape.Allocate(a.Value.Shape with { C = 1 });
        return tape.Record(map, false, () => tape.Backend.SquaredDifferenceMap(a.Value, b.Value, map), _ => { });
    }

    /// <summary>Surrounds every plane with zeros.</summary>
    public static Variable Pad(this Tape tape, Variable input, int border)
    {
        RequireFrozen(input);
        Shape shape = input.Value.Shape;
        Tensor output = tape.Allocate(shape with { H = shape.H + 2 * border, W = shape.W + 2 * border });
        return tape.Record(output, false, () => tape.Backend.Pad(input.Value, border, 0, output), _ => { });
    }

    private static void RequireFrozen(Variable input)
    {
        if (input.NeedsGradient)
        {
            throw new ArgumentException(
                "Map operations have no backward pass; their inputs must be frozen.", nameof(input));
        }
    }
}
