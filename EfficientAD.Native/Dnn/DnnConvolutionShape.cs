namespace EfficientAD.Native.Dnn;

/// <summary>A convolution of [n, ci, h, w] with [co, ci, kh, kw]; stride and padding equal in both
/// directions.</summary>
public readonly record struct DnnConvolutionShape(
    int Batch, int InputChannels, int Height, int Width,
    int OutputChannels, int KernelHeight, int KernelWidth, int Stride, int Padding)
{
    public int OutputHeight => (Height + 2 * Padding - KernelHeight) / Stride + 1;

    public int OutputWidth => (Width + 2 * Padding - KernelWidth) / Stride + 1;
}
