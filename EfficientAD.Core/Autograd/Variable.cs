using EfficientAD.Tensors;

namespace EfficientAD.Autograd;

/// <summary>A value on a tape and, where somebody needs it, the gradient of the loss with respect to it.</summary>
public class Variable
{
    internal Variable(Tensor value, Tensor? gradient) => (Value, Gradient) = (value, gradient);

    /// <summary>A value that needs no gradient: an input.</summary>
    public static Variable Constant(Tensor value) => new(value, null);

    public Tensor Value { get; }

    /// <summary>Of the value's shape; accumulated into. Null where no gradient is needed.</summary>
    public Tensor? Gradient { get; }

    public bool NeedsGradient => Gradient is not null;

    /// <summary>Samples [first, first + count) of a batch, or rows of weights: a view of value and gradient, no
    /// copy.</summary>
    /// <remarks>Keep a view of weights for as long as they are used: what a backend derives from them hangs on
    /// it.</remarks>
    public Variable Samples(int first, int count) => new(Value.Samples(first, count), Gradient?.Samples(first, count));
}
