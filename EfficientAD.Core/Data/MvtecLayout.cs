namespace EfficientAD.Data;

/// <summary>
/// MVTec AD: <c>train/good</c>, <c>test/DEFECT</c>, <c>ground_truth/DEFECT/NAME_mask.png</c>. MVTec LOCO AD adds
/// <c>validation/good</c> and has one mask per region: <c>ground_truth/DEFECT/NAME/*.png</c>.
/// </summary>
internal static class MvtecLayout
{
    private const string Good = "good", MaskSuffix = "_mask";

    public static bool Matches(string category) => Directory.Exists(Path.Combine(category, "train", Good));

    public static AnomalyDataset Read(DatasetFolder category, bool withTest)
    {
        bool hasValidation = category.Has("validation", Good);
        return new AnomalyDataset(
            category.Name,
            category.Path,
            hasValidation ? DatasetLayout.MvtecLoco : DatasetLayout.MvtecAd,
            category.Open("train", Good).SomeImages(),
            hasValidation ? category.Open("validation", Good).SomeImages() : [],
            withTest && category.Has("test") ? ReadTest(category) : []);
    }

    private static List<TestSample> ReadTest(DatasetFolder category)
    {
        var test = category.Open("test");
        if (test.Images() is [var unlabelled, ..])
        {
            throw new DatasetException(
                $"{unlabelled} has no label. Move the images of {test.Path} into {Good} and DEFECT folders there.");
        }

        var samples = new List<TestSample>();
        foreach (string defect in test.FolderNames)
        {
            var images = test.Open(defect).SomeImages();
            bool canHaveMasks = defect != Good && category.Has("ground_truth", defect);
            samples.AddRange(canHaveMasks
                ? WithMasks(images, defect, category.Open("ground_truth", defect))
                : images.Select(image => new TestSample(image, defect, [])));
        }
        return samples;
    }

    /// <summary>A defect type has masks for all of its images or for none: one missing among many means a damaged data
    /// set, and counting that image as free of defects would falsify every pixel figure.</summary>
    private static IEnumerable<TestSample> WithMasks(IEnumerable<string> images, string defect, DatasetFolder masks)
    {
        var masksByImage = MasksByImage(masks);
        foreach (string image in images)
        {
            string name = Path.GetFileNameWithoutExtension(image);
            if (masksByImage.Count > 0 && !masksByImage.Contains(name))
            {
                throw new DatasetException(
                    $"{image} has no mask in {masks.Path}, though other images have. Add {name}{MaskSuffix}.png, " +
                    "or remove that folder to evaluate without these masks.");
            }
            yield return new TestSample(image, defect, [.. masksByImage[name]]);
        }
    }

    /// <summary>A folder NAME holds the masks of image NAME, and so does a file NAME_mask.</summary>
    private static ILookup<string, string> MasksByImage(DatasetFolder masks)
    {
        var inFolders = masks.FolderNames
            .SelectMany(name => masks.Open(name).SomeImages().Select(mask => (Image: name, Mask: mask)));
        var files = masks.Images().Select(mask => (Name: Path.GetFileNameWithoutExtension(mask), Mask: mask));
        if (files.FirstOrDefault(file => !file.Name.EndsWith(MaskSuffix, StringComparison.Ordinal)).Mask is { } stray)
            throw new DatasetException($"{stray} is named unlike a mask. The mask of 001.png is 001{MaskSuffix}.png.");
        return inFolders
            .Concat(files.Select(file => (Image: file.Name[..^MaskSuffix.Length], file.Mask)))
            .ToLookup(pair => pair.Image, pair => pair.Mask);
    }
}
