using EfficientAD.Tensors;

namespace EfficientAD.Data;

/// <summary>Which published folder layout a data set follows.</summary>
public enum DatasetLayout
{
    /// <summary>train/good, test/good, test/DEFECT, ground_truth/DEFECT/NAME_mask.png.</summary>
    MvtecAd,

    /// <summary>As MVTec AD, with validation/good, ground_truth/DEFECT/NAME/*.png and defects_config.json.</summary>
    MvtecLoco,

    /// <summary>A category folder beside split_csv/1cls.csv.</summary>
    Visa,

    /// <summary>A folder of good images, nothing else: training only.</summary>
    PlainFolder,
}

/// <summary>One image of a test set.</summary>
/// <param name="Path">The image file.</param>
/// <param name="Defect">"good", or the defect's name.</param>
/// <param name="MaskPaths">Ground-truth masks (several for MVTec LOCO, one per region); empty where there are
/// none.</param>
public sealed record TestSample(string Path, string Defect, IReadOnlyList<string> MaskPaths)
{
    public bool IsGood => Defect == "good";
}

/// <summary>The files of one category, each list in ordinal order of its paths.</summary>
/// <param name="Name">The category's name.</param>
/// <param name="Root">The category's folder.</param>
/// <param name="Layout">The recognised layout.</param>
/// <param name="Train">Good images to train on.</param>
/// <param name="Validation">Good images that the layout itself sets aside (MVTec LOCO); else empty.</param>
/// <param name="Test">Labelled test images; empty for a plain folder.</param>
public sealed record AnomalyDataset(
    string Name,
    string Root,
    DatasetLayout Layout,
    IReadOnlyList<string> Train,
    IReadOnlyList<string> Validation,
    IReadOnlyList<TestSample> Test)
{
    private const ulong SplitStream = 0x5370_6C69_7400_0000;  // "Split": apart from the trainer's own streams

    /// <summary>The layout's own validation images where it has some; else a random tenth of the training images, at
    /// least one. The test images play no part.</summary>
    /// <param name="seed">The same seed gives the same split.</param>
    /// <exception cref="DatasetException">There is a single training image.</exception>
    public TrainingSplit SplitTrainValidation(ulong seed)
    {
        if (Validation.Count > 0) return new TrainingSplit(Train, Validation);
        RequireTwo();
        int[] order = new CounterRandom(seed, SplitStream).Permutation(Train.Count);
        int trainCount = (int)(Train.Count * 9L / 10);
        return new TrainingSplit(Choose(order.AsSpan(0, trainCount)), Choose(order.AsSpan(trainCount)));
    }

    /// <summary>The split that nelson1425/EfficientAD makes: the layout's own validation images where it has some
    /// (MVTec LOCO), else torch.utils.data.random_split with its seed, 42.</summary>
    /// <exception cref="DatasetException">There is a single training image.</exception>
    public TrainingSplit SplitAsReference()
    {
        const uint ReferenceSeed = 42;
        if (Validation.Count > 0) return new TrainingSplit(Train, Validation);
        RequireTwo();
        int[] order = TorchPermutation.Create(Train.Count, ReferenceSeed);
        int trainCount = (int)(0.9 * Train.Count);  // in double, as Python computes it
        return new TrainingSplit(Choose(order.AsSpan(0, trainCount)), Choose(order.AsSpan(trainCount)));
    }

    private void RequireTwo()
    {
        if (Train.Count < 2)
        {
            throw new DatasetException(
                $"{Root} has {Train.Count} good image for training; at least 2 are needed, one for validation.");
        }
    }

    private string[] Choose(Span<int> indices)
    {
        indices.Sort();
        string[] chosen = new string[indices.Length];
        for (int i = 0; i < chosen.Length; i++) chosen[i] = Train[indices[i]];
        return chosen;
    }
}
