using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cuda;

public sealed partial class CudaBackend
{
    private const float HalfPixel = -0.5f;

    public void ResizeBilinear(Tensor input, Tensor output)
    {
        RequireSamePlanes(input, output);
        (Shape from, Shape to) = (input.Shape, output.Shape);
        Resample(input, (float)from.H / to.H, HalfPixel, (float)from.W / to.W, HalfPixel, output);
    }

    public void ResampleBilinear(Tensor input, float scaleY, float offsetY, float scaleX, float offsetX, Tensor output)
    {
        RequireSamePlanes(input, output);
        Resample(input, scaleY, offsetY, scaleX, offsetX, output);
    }

    public void ResizeBilinearBackward(Tensor outputGradient, Tensor inputGradient)
    {
        RequireSamePlanes(outputGradient, inputGradient);
        (Shape from, Shape to) = (inputGradient.Shape, outputGradient.Shape);
        Launch(
            "resize_bilinear", "resize_bilinear_backward", Pixels(from),
            outputGradient.Address, Planes(from), from.H, from.W, (float)from.H / to.H, (float)from.W / to.W,
            to.H, to.W, inputGradient.Address);
    }

    private void Resample(Tensor input, float scaleY, float offsetY, float scaleX, float offsetX, Tensor output)
    {
        (Shape from, Shape to) = (input.Shape, output.Shape);
        Launch(
            "resize_bilinear", "resize_bilinear_forward", Pixels(to),
            input.Address, Planes(from), from.H, from.W, scaleY, offsetY, scaleX, offsetX, to.H, to.W, output.Address);
    }
}
