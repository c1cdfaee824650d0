namespace EfficientAD.Backends.Cpu;

/// <summary>Where the values of one output row or column come from under bilinear interpolation with
/// align_corners = false, in PyTorch's own single-precision arithmetic.</summary>
internal sealed class BilinearTaps
{
    /// <summary>The offset at which pixels are squares that tile both maps.</summary>
    public const float HalfPixel = -0.5f;

    public BilinearTaps(int inputSize, int outputSize)
        : this(inputSize, outputSize, Scale(inputSize, outputSize), HalfPixel) { }

    /// <summary>Output i samples the input at (i + 0.5) * scale + offset, moved inside where it lies outside.</summary>
    public BilinearTaps(int inputSize, int outputSize, float scale, float offset)
    {
        (Low, High, Fraction) = (new int[outputSize], new int[outputSize], new float[outputSize]);
        for (int i = 0; i < outputSize; i++)
        {
            float source = Math.Clamp((i + 0.5f) * scale + offset, 0, inputSize - 1);
            Low[i] = Math.Min((int)source, inputSize - 1);
            High[i] = Math.Min(Low[i] + 1, inputSize - 1);
            Fraction[i] = source - Low[i];
        }
    }

    public static float Scale(int inputSize, int outputSize) => (float)inputSize / outputSize;

    /// <summary>Per output the first input.</summary>
    public int[] Low { get; }

    /// <summary>Per output the second input; the first again at the end.</summary>
    public int[] High { get; }

    /// <summary>Per output the weight of the second input.</summary>
    public float[] Fraction { get; }

    /// <summary>The same weights seen from the inputs, so that a gradient is gathered: input i receives from the
    /// outputs Output[Start[i]] .. Output[Start[i + 1] - 1], in ascending order.</summary>
    public (int[] Start, int[] Output, float[] Weight) Transpose(int inputSize)
    {
        int[] start = new int[inputSize + 1];
        for (int i = 0; i < Low.Length; i++)
        {
            start[Low[i] + 1]++;
            start[High[i] + 1]++;
        }

        for (int i = 0; i < inputSize; i++) start[i + 1] += start[i];

        int[] next = start[..inputSize];
        (int[] output, float[] weight) = (new int[2 * Low.Length], new float[2 * Low.Length]);
        for (int i = 0; i < Low.Length; i++)
        {
            int low = next[Low[i]]++;
            (output[low], weight[low]) = (i, 1 - Fraction[i]);
            int high = next[High[i]]++;
            (output[high], weight[high]) = (i, Fraction[i]);
        }

        return (start, output, weight);
    }
}
