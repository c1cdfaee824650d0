namespace EfficientAD.Backends.Cpu;

/// <summary>The two inner loops of a convolution, as register tiles; everything else is the same for all
/// processors.</summary>
internal unsafe interface IConvolutionKernels
{
    /// <summary>Output channels of a tile of <see cref="Multiply"/>.</summary>
    static abstract int Rows { get; }

    /// <summary>Pixels of a tile of <see cref="Multiply"/>.</summary>
    static abstract int Columns { get; }

    /// <summary>Output channels of a tile of <see cref="Correlate"/>.</summary>
    static abstract int CorrelationRows { get; }

    /// <summary>Weights per output channel of a tile of <see cref="Correlate"/>.</summary>
    static abstract int CorrelationTaps { get; }

    /// <summary>Floats in a vector.</summary>
    static abstract int Lanes { get; }

    /// <summary>C [Rows x Columns] = (C or bias) + A B, then perhaps rectified.</summary>
    /// <param name="a">Weights [depth][Rows].</param>
    /// <param name="b">Pixels [depth][Columns].</param>
    /// <param name="depth">Products per output of this call.</param>
    /// <param name="bias">One start value per row; unused when accumulating.</param>
    /// <param name="accumulate">Starts from what C holds.</param>
    /// <param name="relu">Replaces negative results by zero.</param>
    /// <param name="c">The tile, rows <paramref name="pitch"/> floats apart.</param>
    static abstract void Multiply(
        float* a, float* b, int depth, float* bias, bool accumulate, bool relu, float* c, nint pitch);

    /// <summary>sums[r][t] += gradient[r][i] * input[i + offsets[t]] over i, lane by lane: each sum is a
    /// vector.</summary>
    /// <param name="gradient">Rows <paramref name="pitch"/> floats apart.</param>
    /// <param name="offsets">Where each tap starts in <paramref name="input"/>.</param>
    /// <param name="length">A multiple of <see cref="Lanes"/>.</param>
    /// <param name="sums">Rows of vectors, <paramref name="sumPitch"/> floats apart.</param>
    static abstract void Correlate(
        float* gradient, nint pitch, float* input, int* offsets, int length, float* sums, nint sumPitch);

    /// <summary>Copies <see cref="Lanes"/> floats.</summary>
    static abstract void CopyVector(float* source, float* destination);

    /// <summary>The sum of <see cref="Lanes"/> floats.</summary>
    static abstract float Sum(float* source);
}
