using System.Runtime.CompilerServices;
using EfficientAD.Backends.Cpu.Filtering;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>A direct convolution whose patches lie in channel planes: a patch is [tap][channel].</summary>
/// <param name="input">With its padding.</param>
internal sealed unsafe class PlanesPatchLayer<TKernels, TVector, TLanes>(
    ChannelPlanes input, LayerWeights layer, int stride, bool relu, ChannelPlanes output, TileGrid outputs)
    : DirectLayer<TKernels, TVector, TLanes>(
        layer, relu, layer.Shape.Plane * input.Blocks,
        (channel, tap) => tap * input.Blocks * TKernels.Lanes + channel, output, outputs)
    where TKernels : struct, IProductKernels
    where TLanes : struct, ILanes<TVector>
{
    private readonly int _kernel = layer.Shape.H;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Gather((int Sample, int Row, int Column) output, float* patch, nint pitch)
    {
        nint lanes = TKernels.Lanes, plane = (nint)input.PlaneCount;
        for (int ky = 0; ky < _kernel; ky++)
        {
            float* pixel = input.Plane(output.Sample, 0)
                + ((nint)(output.Row * stride + ky) * input.Pitch + output.Column * stride) * lanes;
            for (int kx = 0; kx < _kernel; kx++, pixel += lanes)
                for (int block = 0; block < input.Blocks; block++, patch += pitch)
                    TLanes.Store(TLanes.Load(pixel + block * plane), patch);
        }
    }
}
