namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>The one-dimensional transforms of a minimal filtering algorithm F(m, r), each on a line of vectors: it
/// reads vectors <c>step</c> floats apart and writes vectors <c>targetStep</c> floats apart. Applied to columns, then
/// to rows, they filter tiles: (m + r - 1)^2 products give m x m outputs of an r x r kernel.</summary>
/// <remarks>With data d, kernel g and outputs y: y = At [(G g) * (Bt d)]; the gradients are the transposes.</remarks>
internal unsafe interface IFilterForm
{
    /// <summary>m: outputs of a tile in one direction.</summary>
    static abstract int Outputs { get; }

    /// <summary>r: taps of the kernel in one direction.</summary>
    static abstract int Kernel { get; }

    /// <summary>Bt: m + r - 1 values of the input to as many factors.</summary>
    static abstract void Input(float* source, nint step, float* target, nint targetStep);

    /// <summary>At: m + r - 1 products to m outputs.</summary>
    static abstract void Output(float* source, nint step, float* target, nint targetStep);

    /// <summary>A: m output gradients to m + r - 1 factors.</summary>
    static abstract void OutputGradient(float* source, nint step, float* target, nint targetStep);

    /// <summary>G: r weights to m + r - 1 factors.</summary>
    static abstract void Weights(float* source, nint step, float* target, nint targetStep);

    /// <summary>Gt: m + r - 1 sums of products to r weight gradients.</summary>
    static abstract void WeightGradient(float* source, nint step, float* target, nint targetStep);
}
