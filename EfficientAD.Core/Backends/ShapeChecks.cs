using System.Runtime.CompilerServices;
using EfficientAD.Tensors;

namespace EfficientAD.Backends;

/// <summary>What a primitive asks of its tensors: one place for all backends, so that they refuse the same calls in the
/// same words.</summary>
internal static class ShapeChecks
{
    /// <summary>The shape of a loss.</summary>
    public static readonly Shape ScalarShape = new(1, 1, 1, 1);

    public static void RequireExtents(Shape shape)
    {
        if (shape.N < 1 || shape.C < 1 || shape.H < 1 || shape.W < 1)
        {
            throw new ArgumentException(
                $"Every extent of a tensor must be at least 1, but the shape is {shape}.", nameof(shape));
        }
    }

    public static void RequireCount(int count, Tensor tensor)
    {
        if (count != tensor.Shape.Count)
            throw new ArgumentException($"A tensor {tensor.Shape} has {tensor.Shape.Count} values, the span {count}.");
    }

    public static void RequireSameShape(
        Tensor a, Tensor b, [CallerArgumentExpression(nameof(a))] string nameOfA = "",
        [CallerArgumentExpression(nameof(b))] string nameOfB = "", [CallerMemberName] string operation = "")
    {
        if (a.Shape != b.Shape)
        {
            throw new ArgumentException(
                $"{operation}: {nameOfA} {a.Shape} and {nameOfB} {b.Shape} must have the same shape.");
        }
    }

    public static void RequireShape(
        Shape expected, Tensor tensor, [CallerArgumentExpression(nameof(tensor))] string name = "",
        [CallerMemberName] string operation = "")
    {
        if (tensor.Shape != expected)
            throw new ArgumentException($"{operation}: {name} is {tensor.Shape} but must be {expected}.", name);
    }

    public static void RequireSamePlanes(Tensor a, Tensor b, [CallerMemberName] string operation = "")
    {
        if (a.Shape.N != b.Shape.N || a.Shape.C != b.Shape.C)
            throw new ArgumentException($"{operation}: {a.Shape} and {b.Shape} must have the same batch and channels.");
    }

    public static void RequireFraction(float q)
    {
        if (!(q >= 0 && q <= 1)) throw new ArgumentOutOfRangeException(nameof(q), q, "A quantile lies in [0, 1].");
    }

    public static void RequireConvolution(Shape input, Shape weights, Convolution2dGeometry geometry, Shape output)
    {
        if (geometry.Stride < 1 || geometry.Padding < 0)
        {
            throw new ArgumentException(
                $"Convolution2d: stride {geometry.Stride} must be at least 1 and padding {geometry.Padding} at least " +
                "0.");
        }

        if (input.C != weights.C)
        {
            throw new ArgumentException(
                $"Convolution2d: input {input} has {input.C} channels but the weights {weights} expect {weights.C}.");
        }

        if (input.H + 2 * geometry.Padding < weights.H || input.W + 2 * geometry.Padding < weights.W)
        {
            throw new ArgumentException(
                $"Convolution2d: input {input} with padding {geometry.Padding} is smaller than the kernel of the " +
                $"weights {weights}.");
        }

        var expected = new Shape(
            input.N, weights.N, geometry.OutputSize(input.H, weights.H), geometry.OutputSize(input.W, weights.W));
        if (output != expected)
        {
            throw new ArgumentException(
                $"Convolution2d: input {input} and weights {weights} give {expected}, not {output}.");
        }
    }

    public static void RequirePool(
        Shape input, int padding, Shape output, [CallerMemberName] string operation = "")
    {
        if (padding is not (0 or 1))
        {
            throw new ArgumentException(
                $"{operation}: padding must be 0 or 1, half the window at most, but is {padding}.");
        }

        var expected = input with { H = (input.H + 2 * padding) / 2, W = (input.W + 2 * padding) / 2 };
        if (output != expected)
        {
            throw new ArgumentException(
                $"{operation}: input {input} with padding {padding} gives {expected}, not {output}.");
        }
    }

    /// <returns>What to compare a draw's 24 bits with: a draw u * 2^-24 is below the rate exactly if the whole number u
    /// is below this one.</returns>
    public static int RequireRate(float rate, [CallerMemberName] string operation = "") => rate is >= 0 and < 1
        ? (int)Math.Ceiling(rate * (double)(1 << 24))
        : throw new ArgumentOutOfRangeException(nameof(rate), rate, $"{operation}: the rate must lie in [0, 1).");

    public static void RequireRoomForMoments(Shape input, int means, int squaredDeviations)
    {
        if (means != input.C || squaredDeviations != input.C)
        {
            throw new ArgumentException(
                $"ChannelMoments: input {input} has {input.C} channels but there is room for {means} means and " +
                $"{squaredDeviations} sums of squares.");
        }
    }

    public static void RequireNormalization(
        Tensor input, Tensor mean, Tensor deviation, Tensor output, [CallerMemberName] string operation = "")
    {
        RequireShape(Shape.Vector(input.Shape.C), mean, operation: operation);
        RequireShape(Shape.Vector(input.Shape.C), deviation, operation: operation);
        RequireSameShape(input, output, operation: operation);
    }

    public static void RequireSquaredErrorGradients(
        Tensor a, Tensor? b, Tensor lossGradient, Tensor? aGradient, Tensor? bGradient,
        [CallerMemberName] string operation = "")
    {
        RequireShape(ScalarShape, lossGradient, operation: operation);
        if (b is not null) RequireSameShape(a, b, operation: operation);
        if (aGradient is not null) RequireSameShape(a, aGradient, operation: operation);
        if (bGradient is null) return;
        if (b is null) throw new ArgumentException($"{operation}: bGradient needs b.", nameof(bGradient));
        RequireSameShape(b, bGradient, operation: operation);
    }

    /// <param name="loss">The loss, or its gradient.</param>
    public static void RequireHardFeatures(
        Tensor teacher, Tensor student, Tensor threshold, Tensor loss,
        [CallerArgumentExpression(nameof(loss))] string nameOfLoss = "", [CallerMemberName] string operation = "")
    {
        RequireSameShape(teacher, student, operation: operation);
        RequireShape(new Shape(teacher.Shape.N, 1, 1, 1), threshold, operation: operation);
        RequireShape(ScalarShape, loss, nameOfLoss, operation);
    }

    public static void RequireAdam(
        Tensor gradient, int step, Tensor firstMoment, Tensor secondMoment, Tensor parameter,
        [CallerMemberName] string operation = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        RequireSameShape(gradient, parameter, operation: operation);
        RequireSameShape(firstMoment, parameter, operation: operation);
        RequireSameShape(secondMoment, parameter, operation: operation);
    }

    public static void RequirePad(Tensor input, int border, Tensor output, [CallerMemberName] string operation = "")
    {
        ArgumentOutOfRangeException.ThrowIfNegative(border);
        Shape inner = input.Shape;
        var outer = inner with { H = checked(inner.H + 2 * border), W = checked(inner.W + 2 * border) };
        RequireShape(outer, output, operation: operation);
    }

    public static void RequireWeighPlaces(
        Tensor maps, Tensor weights, Tensor result, [CallerMemberName] string operation = "")
    {
        RequireShape(new Shape(1, 1, maps.Shape.H, maps.Shape.W), weights, operation: operation);
        RequireSameShape(maps, result, operation: operation);
    }
}
