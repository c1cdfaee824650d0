using EfficientAD.Imaging;

namespace EfficientAD.Metrics;

/// <summary>Regions of non-zero pixels that touch by a side or a corner (8-connectivity).</summary>
public static class ConnectedComponents
{
    /// <summary>Numbers the regions 1, 2, ... in the order of their first pixels; the rest of the image is 0.</summary>
    /// <param name="labels">One per pixel, overwritten.</param>
    /// <returns>The number of regions.</returns>
    public static int Label(GreyImage mask, Span<int> labels)
    {
        if (labels.Length != mask.Pixels.Length)
            throw new ArgumentException(
                $"{mask.Width} x {mask.Height} pixels need {mask.Pixels.Length} labels, not {labels.Length}.",
                nameof(labels));

        var parents = new List<int> { 0 };  // of provisional labels; a parent never exceeds its child
        for (int y = 0, i = 0; y < mask.Height; y++)
            for (int x = 0; x < mask.Width; x++, i++)
                labels[i] = mask.Pixels[i] == 0 ? 0 : Provisional(labels, i, x, y, mask.Width, parents);

        int[] final = Renumber(parents, out int count);
        for (int i = 0; i < labels.Length; i++)
            labels[i] = final[labels[i]];
        return count;
    }

    /// <summary>The label of the neighbours that came before; joins them where they differ.</summary>
    private static int Provisional(Span<int> labels, int i, int x, int y, int width, List<int> parents)
    {
        int label = x > 0 ? labels[i - 1] : 0;
        if (y > 0)
        {
            // The pixel above touches the left and both upper diagonals, so it settles the matter alone.
            int above = labels[i - width];
            if (above != 0) return above;
            label = Join(label, x > 0 ? labels[i - width - 1] : 0, parents);
            label = Join(label, x + 1 < width ? labels[i - width + 1] : 0, parents);
        }
        if (label != 0) return label;
        parents.Add(parents.Count);
        return parents.Count - 1;
    }

    private static int Join(int a, int b, List<int> parents)
    {
        if (a == 0 || b == 0) return a + b;
        (a, b) = (Root(a, parents), Root(b, parents));
        int root = Math.Min(a, b);
        parents[Math.Max(a, b)] = root;
        return root;
    }

    private static int Root(int label, List<int> parents)
    {
        while (parents[label] != label)
            label = parents[label] = parents[parents[label]];
        return label;
    }

    private static int[] Renumber(List<int> parents, out int count)
    {
        var final = new int[parents.Count];
        count = 0;
        for (int label = 1; label < final.Length; label++)
            final[label] = parents[label] == label ? ++count : final[parents[label]];
        return final;
    }
}
