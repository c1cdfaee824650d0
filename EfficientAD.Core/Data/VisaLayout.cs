namespace EfficientAD.Data;

/// <summary>
/// VisA: a category holds <c>Data/Images/{Normal,Anomaly}</c> and <c>Data/Masks/Anomaly</c>; <c>split_csv/1cls.csv</c>
/// beside the categories says which image is for what. Its columns are object, split, label, image, mask; its paths
/// start at the folder that holds the categories.
/// </summary>
internal static class VisaLayout
{
    private const string Columns = "object,split,label,image,mask";
    private const long MaximumFileLength = 64 << 20;

    public static bool Matches(string category) => Directory.Exists(Path.Combine(category, "Data", "Images"));

    public static AnomalyDataset Read(DatasetFolder category)
    {
        string all = Path.GetDirectoryName(category.Path)!, split = Path.Combine(all, "split_csv", "1cls.csv");
        var train = new List<string>();
        var test = new List<TestSample>();
        int number = 1;
        foreach (string line in ReadLines(split))
        {
            number++;
            if (line == "") continue;
            string[] fields = line.Split(',');
            if (fields.Length != 5) throw Malformed($"has {fields.Length} fields instead of {Columns}");
            if (fields[0] != category.Name) continue;
            string image = Resolve(fields[3]);
            switch (fields[1], fields[2])
            {
                case ("train", "normal"):
                    train.Add(image);
                    break;
                case ("test", "normal"):
                    test.Add(new TestSample(image, "good", []));
                    break;
                case ("test", "anomaly"):
                    test.Add(new TestSample(image, "anomaly", fields[4] == "" ? [] : [Resolve(fields[4])]));
                    break;
                default:
                    throw Malformed(
                        $"says '{fields[1]},{fields[2]}', neither train,normal nor test,normal nor test,anomaly");
            }
        }
        if (train.Count == 0) throw new DatasetException($"{split} names no training images of '{category.Name}'.");
        train.Sort(string.CompareOrdinal);
        test.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return new AnomalyDataset(category.Name, category.Path, DatasetLayout.Visa, train, [], test);

        DatasetException Malformed(string what) => new($"{split}, line {number}, {what}.");

        string Resolve(string field)
        {
            string path = Path.GetFullPath(Path.Combine(all, field));
            if (!path.StartsWith(category.Path + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                throw Malformed($"names '{field}', which is not in {category.Path}");
            return File.Exists(path) ? category.Inside(path) : throw Malformed($"names {path}, which does not exist");
        }
    }

    /// <summary>All lines after the heading.</summary>
    private static IEnumerable<string> ReadLines(string split)
    {
        if (!File.Exists(split))
        {
            throw new DatasetException(
                $"A VisA category needs the official split in {split}. Unpack the whole of VisA, split_csv included.");
        }
        long length = new FileInfo(split).Length;
        if (length > MaximumFileLength)
            throw new DatasetException($"{split} has {length} bytes, more than the limit of {MaximumFileLength}.");
        string[] lines;
        try
        {
            lines = File.ReadAllLines(split);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"{split} cannot be read: {e.Message}", e);
        }
        return lines is [Columns, ..]
            ? lines.Skip(1)
            : throw new DatasetException($"{split} does not start with the columns {Columns}.");
    }
}
