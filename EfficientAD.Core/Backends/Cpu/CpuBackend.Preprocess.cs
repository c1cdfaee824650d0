using EfficientAD.Imaging;
using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    private readonly Preprocessing _preprocessing = new();

    public void Preprocess(
        ImageView image, ColourAdjustment adjustment, int resizedHeight, int resizedWidth, Tensor output)
    {
        RequireShape(output.Shape with { N = 1, C = 3 }, output);
        (int height, int width) = (output.Shape.H, output.Shape.W);
        _preprocessing.Run(image, adjustment, resizedHeight, resizedWidth, height, width, Span(output));
    }
}
