namespace EfficientAD.Models.Onnx;

/// <summary>What the graph of an exported model says beside its weights, under the names that a PyTorch file has for
/// it.</summary>
internal static class OnnxFacts
{
    private const int LongestChain = 4;

    public static Dictionary<string, object> Of(OnnxFile file)
    {
        var facts = new Dictionary<string, object>();
        if (file.InputSize is { Height: > 0, Width: > 0 } size)
            (facts["input_size.0"], facts["input_size.1"]) = (size.Height, size.Width);
        foreach (OnnxNode node in file.Nodes)
        {
            if (node is { Operator: "Conv", Inputs: [_, var weights, ..], Pads: [var pad, ..] }
                && weights.EndsWith(".weight", StringComparison.Ordinal))
                facts[$"{weights[..^".weight".Length]}.padding.0"] = pad;
        }

        // Maps and scores are scaled as (x - low) / (high - low); the exporter computes the difference once and for
        // all, so that only `low` keeps its name.
        foreach ((string low, string high) in new[] { ("qa_st", "qb_st"), ("qa_ae", "qb_ae") })
        {
            if (Named(file, $"quantiles.{low}") is not { } name || Named(file, $"quantiles.{high}") is not null)
                continue;
            if (DivisorAfter(file, name) is { } range)
                facts[$"quantiles.{high}"] = (double)(Scalar(file, name)!.Value + range);
        }

        string? threshold = Named(file, "_image_threshold");
        if (threshold is not null && DivisorAfter(file, threshold) is { } scores) facts["image_range"] = (double)scores;
        return facts;
    }

    private static string? Named(OnnxFile file, string suffix) =>
        file.Tensors.Keys.FirstOrDefault(
            name => name == suffix || name.EndsWith($".{suffix}", StringComparison.Ordinal));

    /// <summary>The constant by which x - name is divided, at once or after being scaled.</summary>
    private static float? DivisorAfter(OnnxFile file, string name)
    {
        OnnxNode[] users =
            [.. file.Nodes.Where(node => node is { Operator: "Sub", Inputs: [_, var other] } && other == name)];
        OnnxNode? node = users is [var only] ? only : null;
        for (int step = 0; step < LongestChain && node is { Outputs: [var output] }; step++)
        {
            node = file.Nodes.FirstOrDefault(next => next.Inputs is [var first, _] && first == output);
            if (node is { Operator: "Div", Inputs: [_, var divisor] }) return Scalar(file, divisor);
        }

        return null;
    }

    private static float? Scalar(OnnxFile file, string name)
    {
        if (!file.Tensors.TryGetValue(name, out OnnxTensor? tensor) || tensor.Shape.Any(extent => extent != 1))
            return null;
        Span<float> value = stackalloc float[1];
        file.ReadFloats(tensor, value);
        return value[0];
    }
}
