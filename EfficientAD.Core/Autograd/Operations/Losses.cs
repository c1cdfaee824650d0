using EfficientAD.Tensors;

namespace EfficientAD.Autograd.Operations;

/// <summary>The losses of the method, each one number [1, 1, 1, 1].</summary>
public static class LossOperations
{
    private static readonly Shape Number = new(1, 1, 1, 1);

    /// <summary>Mean of (a - b)^2 over everything; gradients flow into both.</summary>
    public static Variable MeanSquaredError(this Tape tape, Variable a, Variable b)
    {
        Tensor loss = tape.Allocate(Number);
        return tape.Record(
            loss, a.NeedsGradient || b.NeedsGradient,
            () => tape.Backend.MeanSquaredError(a.Value, b.Value, loss),
            result => tape.Backend.MeanSquaredErrorBackward(
                a.Value, b.Value, result.Gradient!, a.Gradient, b.Gradient));
    }

    /// <summary>Mean of a^2 over everything: the pretraining penalty (paper, section 3.2).</summary>
    public static Variable MeanSquare(this Tape tape, Variable a)
    {
        Tensor loss = tape.Allocate(Number);
        return tape.Record(
            loss, a.NeedsGradient,
            () => tape.Backend.MeanSquaredError(a.Value, null, loss),
            result => tape.Backend.MeanSquaredErrorBackward(a.Value, null, result.Gradient!, a.Gradient, null));
    }

    /// <summary>The hard-feature loss (paper, section 3.2): only the differences that reach their q-quantile
    /// count.</summary>
    /// <param name="teacher">Normalised teacher features, [n, c, h, w]; no gradient.</param>
    /// <param name="student">What imitates them.</param>
    /// <param name="q">0.999 in the paper.</param>
    public static Variable HardFeatureLoss(this Tape tape, Variable teacher, Variable student, float q)
    {
        Tensor threshold = tape.Allocate(new Shape(student.Value.Shape.N, 1, 1, 1)), loss = tape.Allocate(Number);
        return tape.Record(
            loss, student.NeedsGradient,
            () => tape.Backend.HardFeatureLoss(teacher.Value, student.Value, q, threshold, loss),
            result => tape.Backend.HardFeatureLossBackward(
                teacher.Value, student.Value, threshold, result.Gradient!, student.Gradient!));
    }

    /// <summary>The sum of several losses.</summary>
    public static Variable Sum(this Tape tape, params Variable[] losses)
    {
        Tensor sum = tape.Allocate(Number);
        return tape.Record(
            sum, losses.Any(loss => loss.NeedsGradient),
            () =>
            {
                tape.Backend.Fill(0, sum);
                foreach (Variable loss in losses) tape.Backend.Add(loss.Value, sum);
            },
            result =>
            {
                foreach (Variable loss in losses)
                    if (loss.NeedsGradient) tape.Backend.Add(result.Gradient!, loss.Gradient!);
            });
    }
}
