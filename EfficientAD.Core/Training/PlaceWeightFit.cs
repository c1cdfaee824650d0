using EfficientAD.Backends;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Training;

/// <summary>How well the student imitates good parts, place by place: where it errs more than elsewhere on every part,
/// at edges for instance, the same error says less. Not in the paper, whose scale of the local map is one for all
/// places (section 3.4).</summary>
internal static class PlaceWeightFit
{
    /// <summary>How many images are looked at.</summary>
    public const int MostImages = 32;

    /// <summary>Overwrites the networks' place weights by 2 a / (m + a) with m the mean of the smoothed local map at a
    /// place, a that over all places: 1 where they agree, at most 2 and never 0, since few images know m but
    /// roughly. In a letterbox's frame nothing is learned: places that always lie in it keep the weight 1.</summary>
    /// <param name="networks">Have place weights.</param>
    /// <param name="plan">Of these networks, made when they had place weights; layer by layer.</param>
    /// <param name="images">Good ones; <see cref="MostImages"/> of them are taken.</param>
    /// <exception cref="InvalidOperationException">The student imitates the teacher without any error, or its error is
    /// not finite.</exception>
    public static void Run(DetectionNetworks networks, DetectionPlan plan, ImageSet images)
    {
        IBackend backend = networks.Backend;
        Tensor weights = networks.PlaceWeights!;
        backend.Fill(1, weights);
        var sums = new double[weights.Shape.Count];
        var counts = new int[sums.Length];
        var map = new float[sums.Length];
        ImageSet looked = images.Some(MostImages);
        for (int i = 0; i < looked.Count; i++)
        {
            RgbImage shown = looked[i];
            plan.ComputeMaps(shown.View);
            backend.Download(plan.WeighedMap!, map);
            foreach (int place in plan.PlacesInside(plan.AreaOf(shown.Height, shown.Width)))
            {
                sums[place] += map[place];
                counts[place]++;
            }
        }

        double mean = sums.Sum() / counts.Sum();
        if (!double.IsFinite(mean) || mean <= 0)
        {
            throw new InvalidOperationException(
                $"The local map of {looked.Count} good images is {mean} on average, so its places cannot be weighed. " +
                "Are the images blank?");
        }

        var found = new float[sums.Length];
        for (int place = 0; place < found.Length; place++)
            found[place] = counts[place] == 0 ? 1 : (float)(2 * mean / (sums[place] / counts[place] + mean));
        backend.Upload(found, weights);
    }
}
