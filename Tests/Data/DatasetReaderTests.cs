using EfficientAD.Data;

namespace EfficientAD.Tests.Data;

public sealed class DatasetReaderTests : IDisposable
{
    private readonly DatasetFolderFixture _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void MvtecAd_IsListedInOrdinalOrder()
    {
        _folder.Add(
            "bottle/train/good/010.png", "bottle/train/good/002.PNG", "bottle/train/good/B.jpeg",
            "bottle/train/good/a.Tiff", "bottle/train/good/.hidden.png", "bottle/train/good/notes.txt",
            "bottle/license.txt", "bottle/test/good/000.png", "bottle/test/crack/001.bmp", "bottle/test/crack/000.png",
            "bottle/test/stain/000.png", "bottle/ground_truth/crack/000_mask.png",
            "bottle/ground_truth/crack/001_mask.png");

        var data = DatasetReader.Open(_folder.At("bottle") + Path.DirectorySeparatorChar);

        Assert.Equal(("bottle", DatasetLayout.MvtecAd, _folder.At("bottle")), (data.Name, data.Layout, data.Root));
        Assert.Equal(["002.PNG", "010.png", "B.jpeg", "a.Tiff"], data.Train.Select(Path.GetFileName));
        Assert.Empty(data.Validation);
        Assert.Equal(
            [
                "bottle/test/crack/000.png", "bottle/test/crack/001.bmp", "bottle/test/good/000.png",
                "bottle/test/stain/000.png",
            ],
            _folder.Names(data.Test.Select(sample => sample.Path)));
        Assert.Equal(["crack", "crack", "good", "stain"], data.Test.Select(sample => sample.Defect));
        Assert.Equal(["bottle/ground_truth/crack/001_mask.png"], _folder.Names(data.Test[1].MaskPaths));
        Assert.Empty(data.Test[3].MaskPaths);
        Assert.Equal([false, false, true, false], data.Test.Select(sample => sample.IsGood));
    }

    [Fact]
    public void MvtecLoco_HasValidationAndOneMaskPerRegion()
    {
        _folder.Add(
            "box/train/good/000.png", "box/validation/good/000.png", "box/validation/good/001.png",
            "box/test/good/000.png", "box/test/logical_anomalies/000.png", "box/test/structural_anomalies/000.png",
            "box/ground_truth/logical_anomalies/000/001.png", "box/ground_truth/logical_anomalies/000/000.png",
            "box/ground_truth/structural_anomalies/000/000.png");

        var data = DatasetReader.Open(_folder.At("box"));

        Assert.Equal(DatasetLayout.MvtecLoco, data.Layout);
        Assert.Equal(["box/validation/good/000.png", "box/validation/good/001.png"], _folder.Names(data.Validation));
        Assert.Equal(
            ["box/ground_truth/logical_anomalies/000/000.png", "box/ground_truth/logical_anomalies/000/001.png"],
            _folder.Names(data.Test[1].MaskPaths));
    }

    [Fact]
    public void TrainingImagesAlone_AreEnough()
    {
        _folder.Add("part/train/good/000.png");
        Assert.Empty(DatasetReader.Open(_folder.At("part")).Test);
    }

    [Fact]
    public void MissingMaskAmongMany_IsNamed()
    {
        _folder.Add(
            "part/train/good/000.png", "part/test/crack/000.png", "part/test/crack/001.png",
            "part/ground_truth/crack/000_mask.png");
        string message = Error("part");
        Assert.StartsWith($"{_folder.At("part/test/crack/001.png")} has no mask in", message, StringComparison.Ordinal);
        Assert.Contains("Add 001_mask.png", message, StringComparison.Ordinal);
    }

    [Fact]
    public void TestFolder_IsNotEvenListedForTraining()
    {
        _folder.Add("cat/train/good/0.png", "cat/test/stray.png");
        Assert.Throws<DatasetException>(() => DatasetReader.Open(_folder.At("cat")));
        Assert.Empty(DatasetReader.Open(_folder.At("cat"), withTest: false).Test);
    }

    [Fact]
    public void MaskUnderAnotherName_IsNamed()
    {
        _folder.Add("part/train/good/000.png", "part/test/crack/000.png", "part/ground_truth/crack/000.png");
        Assert.EndsWith(
            "is named unlike a mask. The mask of 001.png is 001_mask.png.", Error("part"), StringComparison.Ordinal);
    }

    [Fact]
    public void Visa_FollowsItsSplit()
    {
        _folder.Add(
            "candle/Data/Images/Normal/0002.JPG", "candle/Data/Images/Normal/0000.JPG",
            "candle/Data/Images/Normal/0001.JPG", "candle/Data/Images/Anomaly/000.JPG",
            "candle/Data/Masks/Anomaly/000.png");
        _folder.Write("split_csv/1cls.csv", """
            object,split,label,image,mask
            capsules,train,normal,capsules/Data/Images/Normal/0000.JPG,
            candle,train,normal,candle/Data/Images/Normal/0002.JPG,
            candle,train,normal,candle/Data/Images/Normal/0001.JPG,
            candle,test,normal,candle/Data/Images/Normal/0000.JPG,
            candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,candle/Data/Masks/Anomaly/000.png

            """.ReplaceLineEndings("\r\n"));

        var data = DatasetReader.Open(_folder.At("candle"));

        Assert.Equal(DatasetLayout.Visa, data.Layout);
        Assert.Equal(
            ["candle/Data/Images/Normal/0001.JPG", "candle/Data/Images/Normal/0002.JPG"], _folder.Names(data.Train));
        Assert.Equal(["anomaly", "good"], data.Test.Select(sample => sample.Defect));
        Assert.Equal(["candle/Data/Masks/Anomaly/000.png"], _folder.Names(data.Test[0].MaskPaths));
    }

    [Theory]
    [InlineData("candle,train,normal", "line 2, has 3 fields instead of object,split,label,image,mask.")]
    [InlineData("candle,train,anomaly,candle/Data/Images/0.JPG,", "line 2, says 'train,anomaly'")]
    [InlineData("candle,train,normal,candle/Data/Images/9.JPG,", "9.JPG, which does not exist.")]
    [InlineData("candle,train,normal,candle/../../x.JPG,", "line 2, names 'candle/../../x.JPG', which is not in")]
    [InlineData("candle,train,normal,/etc/hostname,", "line 2, names '/etc/hostname', which is not in")]
    [InlineData("capsules,train,normal,capsules/Data/Images/0.JPG,", "names no training images of 'candle'.")]
    public void VisaSplit_WithAnErrorIsRefused(string line, string reason)
    {
        _folder.Add("candle/Data/Images/0.JPG");
        _folder.Write("split_csv/1cls.csv", $"object,split,label,image,mask\n{line}\n");
        Assert.Contains(reason, Error("candle"), StringComparison.Ordinal);
    }

    [Fact]
    public void VisaWithoutSplit_IsRefused()
    {
        _folder.Add("candle/Data/Images/Normal/0.JPG");
        Assert.Contains("needs the official split", Error("candle"), StringComparison.Ordinal);
        _folder.Write("split_csv/1cls.csv", "image,label\n");
        Assert.Contains(
            "does not start with the columns object,split,label,image,mask", Error("candle"), StringComparison.Ordinal);
    }

    [Fact]
    public void PlainFolder_TakesItsOwnImagesOrThoseOneLevelBelow()
    {
        _folder.Add(
            "flat/b.pgm", "flat/a.ppm", "flat/sub/c.png",
            "nested/2/b.png", "nested/10/a.png", "nested/10/deeper/x.png");
        var flat = DatasetReader.Open(_folder.At("flat"));
        Assert.Equal(DatasetLayout.PlainFolder, flat.Layout);
        Assert.Equal(["flat/a.ppm", "flat/b.pgm"], _folder.Names(flat.Train));
        var nested = DatasetReader.Open(_folder.At("nested"));
        Assert.Equal(["nested/10/a.png", "nested/2/b.png"], _folder.Names(nested.Train));
    }

    [Fact]
    public void WrongFolder_GetsAnErrorThatSaysWhatToDo()
    {
        _folder.Add(
            "mvtec/bottle/train/good/0.png", "mvtec/cable/train/good/0.png", "mvtec/readme.txt",
            "visa/candle/Data/Images/0.JPG", "half/train/0.png", "half/test/good/0.png", "labelled/good/0.png",
            "labelled/scratch/0.png", "text/notes.txt", "part/train/good/notes.txt", "mixed/train/good/0.png",
            "mixed/test/0.png", "hollow/train/good/0.png");
        Directory.CreateDirectory(_folder.At("empty"));
        Directory.CreateDirectory(_folder.At("hollow/test/crack"));

        Assert.EndsWith(
            "is a folder of categories. Choose one of: bottle, cable.", Error("mvtec"), StringComparison.Ordinal);
        Assert.EndsWith("is a folder of categories. Choose one of: candle.", Error("visa"), StringComparison.Ordinal);
        Assert.EndsWith("nowhere does not exist.", Error("nowhere"), StringComparison.Ordinal);
        Assert.EndsWith("notes.txt is a file, not a folder.", Error("text/notes.txt"), StringComparison.Ordinal);
        Assert.Contains("empty holds no images (PNG, JPEG", Error("empty"), StringComparison.Ordinal);
        Assert.Contains("text holds no images", Error("text"), StringComparison.Ordinal);
        Assert.Contains("good holds no images", Error("part"), StringComparison.Ordinal);
        Assert.Contains("crack holds no images", Error("hollow"), StringComparison.Ordinal);
        Assert.Contains("has a folder 'test' but no train/good", Error("half"), StringComparison.Ordinal);
        Assert.Contains("has 'good' beside other folders", Error("labelled"), StringComparison.Ordinal);
        Assert.Contains("0.png has no label", Error("mixed"), StringComparison.Ordinal);
    }

    [Fact]
    public void SymbolicLink_IsFollowedWithinTheDataSetOnly()
    {
        if (OperatingSystem.IsWindows()) return;  // links need a privilege there
        _folder.Add("secret.png", "part/train/good/000.png", "part/shared/001.png");
        string link = _folder.At("part/train/good/001.png");

        File.CreateSymbolicLink(link, "../../shared/001.png");
        Assert.Equal(2, DatasetReader.Open(_folder.At("part")).Train.Count);
        Directory.CreateSymbolicLink(_folder.At("alias"), _folder.At("part"));
        Assert.Equal(2, DatasetReader.Open(_folder.At("alias")).Train.Count);

        Relink(link, "../../../secret.png");
        Assert.Contains(
            $"{link} is a symbolic link out of the data set, to {_folder.At("secret.png")}", Error("part"),
            StringComparison.Ordinal);
        Relink(link, "../../shared/gone.png");
        Assert.Contains("which does not exist", Error("part"), StringComparison.Ordinal);
        Relink(link, "001.png");
        Assert.Contains("Too many symbolic links", Error("part"), StringComparison.Ordinal);
        File.Delete(link);
        Directory.CreateSymbolicLink(_folder.At("part/test"), _folder.Root);
        Assert.Contains("part/test is a symbolic link out of the data set", Error("part"), StringComparison.Ordinal);
    }

    private static void Relink(string link, string target)
    {
        File.Delete(link);
        File.CreateSymbolicLink(link, target);
    }

    private string Error(string name) =>
        Assert.Throws<DatasetException>(() => DatasetReader.Open(_folder.At(name))).Message;
}
