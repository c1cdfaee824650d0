namespace EfficientAD.Networks.Quantization;

/// <summary>What a hidden map holds over good images, behind ReLU and pool.</summary>
/// <param name="Largest">By channel.</param>
/// <param name="Means">By channel.</param>
internal sealed record MapActivations(float[] Largest, float[] Means)
{
    // A channel that good images leave nearly dark must take what a defect lights up.
    private const float SmallestShare = 1e-3f;

    /// <summary>What 1 of a number is worth, by channel: the largest number is the geometric mean of the channel's
    /// largest value and the map's. One step for all channels wastes bits on the dark ones; steps by the channel alone
    /// pass the spread on to the weights, and leave no room for more than good images show.</summary>
    public float[] Steps(EightBits format)
    {
        float most = Largest.Max();
        if (most <= 0) most = 1;
        return Array.ConvertAll(
            Largest, largest => MathF.Sqrt(MathF.Max(largest, SmallestShare * most) * most) / format.LargestActivation);
    }
}

/// <summary>The same of all hidden maps of teacher and student, in order.</summary>
internal sealed record HiddenActivations(IReadOnlyList<MapActivations> Teacher, IReadOnlyList<MapActivations> Student);
