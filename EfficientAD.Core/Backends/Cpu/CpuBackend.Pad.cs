using EfficientAD.Tensors;
using static EfficientAD.Backends.ShapeChecks;

namespace EfficientAD.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    public void Pad(Tensor input, int border, float value, Tensor output)
    {
        RequirePad(input, border, output);
        (Shape inner, Shape outer) = (input.Shape, output.Shape);
        RunRanges((long)outer.N * outer.C * outer.H, outer.W, (first, end) =>
        {
            for (long row = first; row < end; row++)
            {
                (long plane, long outputY) = Math.DivRem(row, outer.H);
                long y = outputY - border;
                Span<float> destination = new(Pointer(output) + row * outer.W, outer.W);
                if (y < 0 || y >= inner.H)
                {
                    destination.Fill(value);
                    continue;
                }

                destination[..border].Fill(value);
                float* source = Pointer(input) + plane * inner.Plane + y * inner.W;
                new Span<float>(source, inner.W).CopyTo(destination[border..]);
                destination[(border + inner.W)..].Fill(value);
            }
        });
    }
}
