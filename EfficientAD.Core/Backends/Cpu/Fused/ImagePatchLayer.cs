using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks.Folding;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>A direct convolution over few channels, kernels of 4 x 4: a patch is [channel][ky][kx], so that no lane is
/// empty.</summary>
/// <param name="input">[n, c, h, w], without its padding.</param>
internal sealed unsafe class ImagePatchLayer<TKernels, TVector, TLanes>(
    Tensor input, LayerWeights layer, Convolution2dGeometry geometry, bool relu, ChannelPlanes output, TileGrid outputs)
    : DirectLayer<TKernels, TVector, TLanes>(
        layer, relu, layer.Shape.C * Taps / TKernels.Lanes, (channel, tap) => channel * Taps + tap, output, outputs)
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    private const int Kernel = 4, Taps = Kernel * Kernel;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Gather((int Sample, int Row, int Column) output, float* patch, nint pitch)
    {
        Shape shape = input.Shape;
        int y = output.Row * geometry.Stride - geometry.Padding, x = output.Column * geometry.Stride - geometry.Padding;
        float* plane = (float*)input.Address + output.Sample * shape.SampleCount;
        bool isInside = y >= 0 && y + Kernel <= shape.H && x >= 0 && x + Kernel <= shape.W;
        for (int channel = 0; channel < shape.C; channel++, plane += shape.Plane)
            for (int ky = 0; ky < Kernel; ky++)
            {
                int value = (channel * Kernel + ky) * Kernel;
                float* target = patch + value / TKernels.Lanes * pitch + value % TKernels.Lanes;
                Vector128<float> line = isInside
                    ? Vector128.Load(plane + (y + ky) * shape.W + x)
                    : AtBorder(plane, y + ky, x);
                line.Store(target);
            }
    }

    /// <summary>Neighbours of a row; zero outside of the image.</summary>
    private Vector128<float> AtBorder(float* plane, int y, int x)
    {
        return Vector128.Create(At(x), At(x + 1), At(x + 2), At(x + 3));

        float At(int column) => (uint)y < (uint)input.Shape.H && (uint)column < (uint)input.Shape.W
            ? plane[y * input.Shape.W + column]
            : 0;
    }
}
