using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    public void WeighPlaces(Tensor maps, Tensor weights, Tensor result)
    {
        RequireWeighPlaces(maps, weights, result);
        Shape shape = maps.Shape;
        (int height, int width) = (shape.H, shape.W);
        RunRanges((long)shape.N * shape.C * height, 9L * width, (first, end) =>
        {
            for (long row = first; row < end; row++)
            {
                (long plane, long y) = Math.DivRem(row, height);
                float* map = Pointer(maps) + plane * shape.Plane, to = Pointer(result) + row * width;
                long top = Math.Max(y - 1, 0), bottom = Math.Min(y + 1, height - 1);
                for (int x = 0; x < width; x++)
                {
                    int left = Math.Max(x - 1, 0), right = Math.Min(x + 1, width - 1);
                    float sum = 0;
                    for (long at = top * width; at <= bottom * width; at += width)
                        for (long place = at + left; place <= at + right; place++)
                            sum += Pointer(weights)[place] * map[place];
                    to[x] = sum / ((bottom - top + 1) * (right - left + 1));
                }
            }
        });
    }
}
