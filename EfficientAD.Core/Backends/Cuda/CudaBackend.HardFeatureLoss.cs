using EfficientAD.Native;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    public void HardFeatureLoss(Tensor teacher, Tensor student, float q, Tensor threshold, Tensor loss)
    {
        RequireHardFeatures(teacher, student, threshold, loss);
        RequireFraction(q);
        Shape shape = teacher.Shape;
        long values = shape.SampleCount;
        LaunchShape reduction = Reduction(values, shape.N);
        int blocks = reduction.Grid.X;

        long squaresBytes = Scratch.Align(shape.Count * sizeof(float));
        long partialBytes = Scratch.Align((long)shape.N * blocks * sizeof(double));
        nint squares = _scratch.Reserve(squaresBytes + 2 * partialBytes + SelectionBytes(shape.N));
        nint sums = squares + (nint)squaresBytes, counts = sums + (nint)partialBytes;
        nint selection = counts + (nint)partialBytes;

        Launch(
            "hard_feature_loss", "hard_feature_loss_squares", Threads(shape.Count),
            teacher.Address, student.Address, squares, shape.Count);
        SelectQuantiles(squares, shape.N, values, q, selection, threshold.Address);
        Launch(
            "hard_feature_loss", "hard_feature_loss_partial", reduction,
            squares, threshold.Address, shape.N, values, sums, counts);
        Launch(
            "hard_feature_loss", "hard_feature_loss_forward", Reduction(1),
            sums, counts, shape.N, blocks, loss.Address);
    }

    public void HardFeatureLossBackward(
        Tensor teacher, Tensor student, Tensor threshold, Tensor lossGradient, Tensor studentGradient)
    {
        RequireHardFeatures(teacher, student, threshold, lossGradient);
        RequireSameShape(student, studentGradient);
        Shape shape = teacher.Shape;
        long values = shape.SampleCount;
        nint hard = _scratch.Reserve(shape.N * sizeof(long));
        _stream.Fill(0, hard, 2L * shape.N);
        Launch(
            "hard_feature_loss", "hard_feature_loss_count", Reduction(values, shape.N),
            teacher.Address, student.Address, threshold.Address, shape.N, values, hard);
        LaunchShape threads = Threads(values);
        Launch(
            "hard_feature_loss", "hard_feature_loss_backward",
            threads with { Grid = threads.Grid with { Y = Math.Min(shape.N, MaximumGridY) } },
            teacher.Address, student.Address, threshold.Address, hard, lossGradient.Address, shape.N, values,
            studentGradient.Address);
        ExpectSparse(studentGradient);
    }

    /// <summary>Says that a gradient holds mostly zeros: the convolution's that it is handed on to lists the
    /// others.</summary>
    internal void ExpectSparse(Tensor gradient) => _sparse.Expect(gradient);
}
