using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Networks;

namespace EfficientAD.Training;

/// <summary>What good images say about trained networks: the scale of each map (paper, section 3.4) and, where the
/// recipe asks for it, the weights of the local map's places.</summary>
/// <param name="Scores">Of each image set aside, by its maps so scaled.</param>
/// <param name="SeenScores">Of each image of <c>seen</c>, likewise.</param>
/// <param name="AutoencoderExplains">Share of the features of the images set aside, where the recipe weighs the global
/// map by it.</param>
internal readonly record struct MapCalibration(
    MapScaling Scaling, float[] Scores, float[] SeenScores, float? AutoencoderExplains)
{
    /// <param name="networks">Frozen; gain place weights where the recipe has them.</param>
    /// <param name="recipe">Says which maps count, how they are scaled and in which order.</param>
    /// <param name="trained">Images that the networks were trained on; some of them weigh the places.</param>
    /// <param name="aside">Good images that were set aside.</param>
    /// <param name="seen">Those trained on whose scores are wanted too.</param>
    /// <exception cref="InvalidOperationException">A map does not vary or is not finite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static MapCalibration Find(
        DetectionNetworks networks, Recipe recipe, NetworkInput input, ImageSet trained, ImageSet aside, ImageSet seen,
        IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        if (recipe.WeighsPlaces) networks.AddPlaceWeights(input.Height, input.Width);
        using var plan = new DetectionPlan(networks, recipe.MapOrder, input.Height, input.Width, fit: input.Fit);
        if (recipe.WeighsPlaces) PlaceWeightFit.Run(networks, plan, trained);
        using AutoencoderFit? fit = AutoencoderFit.For(recipe, networks, input);
        var maps = new ValidationMaps(plan, networks.Backend, aside.Count, fit);
        for (int i = 0; i < aside.Count; i++)
        {
            maps.Add(aside[i]);
            Tell(i + 1);
        }

        MapScaling scaling = maps.FindScaling(recipe);
        // Many images, whose scores alone are wanted: the fast way, as detection goes.
        var seenScores = new float[seen.Count];
        using var fast = new DetectionPlan(
            networks, recipe.MapOrder, input.Height, input.Width, DetectionMode.Fast, fit: input.Fit);
        for (int i = 0; i < seen.Count; i++)
        {
            RgbImage image = seen[i];
            fast.ComputeMaps(image.View);
            seenScores[i] = fast.Combine(scaling, image.Height, image.Width, []);
            Tell(aside.Count + i + 1);
        }

        return new MapCalibration(scaling, maps.Scores(scaling), seenScores, fit?.Explained);

        void Tell(int done)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new TrainingProgress(TrainingPhase.Quantiles, done, aside.Count + seen.Count));
        }
    }
}
