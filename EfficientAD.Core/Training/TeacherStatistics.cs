using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>Mean and standard deviation of each channel of the teacher over good images, by which its features are
/// normalised (paper, section 3.1). A letterbox's frame does not count: it would make the image's own features seem to
/// vary less than they do.</summary>
internal static class TeacherStatistics
{
    /// <summary>Overwrites the networks' mean and deviation.</summary>
    /// <param name="images">Every one is taken as it is, without augmentation.</param>
    /// <param name="kept">Keeps each image's features where it has room; null keeps none.</param>
    /// <exception cref="InvalidOperationException">A channel never varies or is not finite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing was overwritten.</exception>
    public static void Find(
        DetectionNetworks networks, NetworkInput input, ImageSet images, FeatureCache? kept,
        IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        using var tape = new Tape(networks.Backend);
        Tensor pixels = tape.Allocate(new Shape(1, 3, input.Height, input.Width));
        Tensor features = networks.Teacher.Forward(tape, Variable.Constant(pixels)).Value;
        var statistics = new ChannelStatistics(PatchDescriptionNetwork.TeacherChannels);
        for (int i = 0; i < images.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            RgbImage image = images[i];
            input.Write(image.View, ColourAdjustment.None, pixels);
            tape.Forward();
            FittedArea area = input.AreaOf(image.Height, image.Width);
            if (area.Fills(input.Height, input.Width)) statistics.Add(networks.Backend, features);
            else statistics.Add(networks.Backend.Download(features), PlacesInside(area));
            kept?.Keep(i, networks.Backend, features);
            progress?.Report(new TrainingProgress(TrainingPhase.Statistics, i + 1, images.Count));
        }

        networks.Backend.Upload(statistics.Mean(), networks.Mean);
        networks.Backend.Upload(statistics.Deviation(), networks.Deviation);

        int[] PlacesInside(FittedArea area) =>
            [.. MapPlacement.PlacesInside(area, networks.Teacher.Padded, features.Shape.H, features.Shape.W)];
    }
}
