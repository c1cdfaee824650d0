using EfficientAD.Detection;
using EfficientAD.Networks;

namespace EfficientAD.Training;

/// <summary>What good images say about trained networks: the scale of each map (paper, section 3.4) and, where the
/// recipe asks for it, the weights of the local map's places.</summary>
/// <param name="Scores">Of each image set aside, by its maps so scaled.</param>
internal readonly record struct MapCalibration(MapScaling Scaling, float[] Scores)
{
    /// <param name="networks">Frozen; gain place weights where the recipe has them.</param>
    /// <param name="recipe">Says which maps count, how they are scaled and in which order.</param>
    /// <param name="trained">Images that the networks were trained on; some of them weigh the places.</param>
    /// <param name="aside">Good images that were set aside.</param>
    /// <exception cref="InvalidOperationException">A map does not vary or is not finite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static MapCalibration Find(
        DetectionNetworks networks, Recipe recipe, NetworkInput input, ImageSet trained, ImageSet aside,
        IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        if (recipe.WeighsPlaces) networks.AddPlaceWeights(input.Height, input.Width);
        using var plan = new DetectionPlan(networks, recipe.MapOrder, input.Height, input.Width, fit: input.Fit);
        if (recipe.WeighsPlaces) PlaceWeightFit.Run(networks, plan, trained);
        using AutoencoderFit? fit = AutoencoderFit.For(recipe, networks, input);
        var maps = new ValidationMaps(plan, networks.Backend, aside.Count, fit);
        for (int i = 0; i < aside.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            maps.Add(aside[i]);
            progress?.Report(new TrainingProgress(TrainingPhase.Quantiles, i + 1, aside.Count));
        }

        MapScaling scaling = maps.FindScaling(recipe);
        return new MapCalibration(scaling, maps.Scores(scaling));
    }
}
