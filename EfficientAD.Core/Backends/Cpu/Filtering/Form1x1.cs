namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>A kernel of one tap: nothing is transformed, and the products are the convolution.</summary>
internal readonly unsafe struct Form1x1<TVector, TLanes> : IFilterForm
    where TLanes : struct, ILanes<TVector>
{
    public static int Outputs => 1;

    public static int Kernel => 1;

    public static void Input(float* source, nint step, float* target, nint targetStep) => Copy(source, target);

    public static void Output(float* source, nint step, float* target, nint targetStep) => Copy(source, target);

    public static void OutputGradient(float* source, nint step, float* target, nint targetStep) => Copy(source, target);

    public static void Weights(float* source, nint step, float* target, nint targetStep) => Copy(source, target);

    public static void WeightGradient(float* source, nint step, float* target, nint targetStep) => Copy(source, target);

    private static void Copy(float* source, float* target) => TLanes.Store(TLanes.Load(source), target);
}
