using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Detection;

/// <summary>Both raw maps layer by layer, as operations of a tape.</summary>
internal static class PlainMaps
{
    /// <param name="features">The teacher's, not normalised yet, where somebody else computes them.</param>
    /// <param name="window">Where the input is a tile: which part of the whole map its map is.</param>
    /// <returns>Teacher against student, autoencoder against student, [n, 1, h, w] each.</returns>
    public static (Variable Local, Variable Global) Record(
        Tape tape, DetectionNetworks networks, DetectionInput input, Variable? features, FeatureWindow? window)
    {
        (PatchDescriptionNetwork teacher, PatchDescriptionNetwork student) = (networks.Teacher, networks.Student);
        int height = PatchDescriptionNetwork.OutputSize(input.Image.Shape.H, teacher.Padded);
        int width = PatchDescriptionNetwork.OutputSize(input.Image.Shape.W, teacher.Padded);
        Variable autoencoderImage = Variable.Constant(input.AutoencoderImage);
        Variable predicted = window is null
            ? networks.Autoencoder.Predict(tape, autoencoderImage, teacher.Padded, height, width)
            : PredictWindow(tape, networks.Autoencoder, autoencoderImage, teacher.Padded, window, height, width);
        Variable image = Variable.Constant(input.Image), hidden = student.Hidden(tape, image);
        Variable normalized = tape.NormalizeChannels(
            features ?? teacher.Forward(tape, image), networks.Mean, networks.Deviation);
        return (
            tape.SquaredDifferenceMap(normalized, student.TeacherHalf(tape, hidden)),
            tape.SquaredDifferenceMap(predicted, student.AutoencoderHalf(tape, hidden)));
    }

    private static Variable PredictWindow(
        Tape tape, Autoencoder autoencoder, Variable image, bool padded, FeatureWindow window, int height, int width)
    {
        int size = Autoencoder.OutputSize(padded);
        Tensor whole = autoencoder.Forward(tape, image, size).Value;
        Tensor part = tape.Allocate(whole.Shape with { H = height, W = width });
        return tape.Record(
            part, needsGradient: false,
            () => tape.Backend.ResampleBilinear(
                whole, window.Rows(size).Scale, window.Rows(size).Offset, window.Columns(size).Scale,
                window.Columns(size).Offset, part),
            _ => { });
    }
}
