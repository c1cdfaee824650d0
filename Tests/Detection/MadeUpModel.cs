using EfficientAD.Detection;
using EfficientAD.Models;
using EfficientAD.Networks;

namespace EfficientAD.Tests.Detection;

/// <summary>What stands in the file of a model that nobody trained: its weights are random, or made by hand.</summary>
internal static class MadeUpModel
{
    /// <param name="height">Of the networks' input in pixels, and of the images.</param>
    /// <param name="width">Likewise.</param>
    public static ModelInformation Information(int height, int width) => new()
    {
        Size = PdnSize.Small,
        Padded = false,
        MapOrder = MapOrder.Aligned,
        InputHeight = height,
        InputWidth = width,
        ImageHeight = height,
        ImageWidth = width,
        Scaling = new MapScaling(0, 1, 0, 1),
        Calibration = new Calibration(1, 1, Calibration.DefaultFalsePositiveRate, 1),
        Recipe = "none",
        Deviations = "",
        Seed = 1,
        Steps = 0,
        Data = "none",
        DataHash = "none",
        TrainingImages = 1,
        ValidationImages = 1,
        Teacher = "random",
        Penalty = "none",
    };
}
