using EfficientAD.Imaging;

namespace EfficientAD.Data;

/// <summary>Finds out which layout a folder follows and lists its images.</summary>
public static class DatasetReader
{
    /// <summary>Opens one category of MVTec AD, MVTec LOCO AD or VisA, or a plain folder of good images.</summary>
    /// <param name="folder">
    /// MVTec: the category, which holds <c>train/good</c>. VisA: the category, which holds <c>Data/Images</c>; the
    /// split is read from <c>split_csv/1cls.csv</c> beside it. Otherwise all images in the folder itself are taken as
    /// good ones, or, where it has none, those one level below. <see cref="ImageReader.HasImageExtension"/> tells what
    /// is an image; hidden files are skipped, symbolic links are followed within the folder only. Nothing is decoded.
    /// </param>
    /// <param name="withTest">Whether test images are wanted: training needs none, and nothing wrong with them stops it.
    /// VisA lists them in the same file, so there they are read either way.</param>
    /// <exception cref="DatasetException">The folder is missing, empty, unreadable, a folder of categories, or
    /// incomplete.</exception>
    public static AnomalyDataset Open(string folder, bool withTest = true)
    {
        var category = new DatasetFolder(folder);
        if (MvtecLayout.Matches(category.Path)) return MvtecLayout.Read(category, withTest);
        if (VisaLayout.Matches(category.Path)) return VisaLayout.Read(category);

        var images = category.Images();
        if (images.Count == 0)
        {
            RefuseCategories(category);
            RefuseLabelledFolders(category);
            images = [.. category.FolderNames.SelectMany(name => category.Open(name).Images())];
        }
        return images.Count > 0
            ? new AnomalyDataset(category.Name, category.Path, DatasetLayout.PlainFolder, images, [], [])
            : throw new DatasetException(
                $"{category.Path} holds no images ({DatasetFolder.ImageFormats}), nor do the folders below it.");
    }

    private static void RefuseCategories(DatasetFolder folder)
    {
        string[] categories = [.. folder.FolderNames.Where(name =>
            Path.Combine(folder.Path, name) is var path && (MvtecLayout.Matches(path) || VisaLayout.Matches(path)))];
        if (categories.Length > 0)
        {
            throw new DatasetException(
                $"{folder.Path} is a folder of categories. Choose one of: {string.Join(", ", categories)}.");
        }
    }

    /// <summary>Half of a labelled layout, taken for a plain folder, would bring defects and masks among the good
    /// images.</summary>
    private static void RefuseLabelledFolders(DatasetFolder folder)
    {
        string[] names = [.. folder.FolderNames];
        foreach (string name in names)
        {
            if (name is "train" or "test" or "ground_truth" or "validation")
            {
                throw new DatasetException(
                    $"{folder.Path} has a folder '{name}' but no train/good. Put the good images to train on there.");
            }
            if (name == "good" && names.Length > 1)
            {
                throw new DatasetException(
                    $"{folder.Path} has 'good' beside other folders, which may hold defects. " +
                    $"Pass {Path.Combine(folder.Path, name)} to train on that alone.");
            }
        }
    }
}
