using EfficientAD.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>From sums over blocks of channels to means over all. An item is the map of a sample.</summary>
/// <param name="map">[n, 1, h, w].</param>
internal sealed unsafe class MapLayer(ChannelSums sums, Tensor map) : FusedLayer
{
    private int _samples = map.Shape.N;

    public override string Name => "map";

    public override int Items => _samples;

    public override long Scratch => 0;

    public override void Take(int samples) => _samples = samples;

    public override void Run(int item, float* scratch)
    {
        float* block = (float*)sums.From(item).Address;
        var plane = new Span<float>((float*)map.Address + (long)item * sums.Pixels, sums.Pixels);
        plane.Clear();
        for (int i = 0; i < sums.Blocks; i++, block += sums.Pixels)
            TensorPrimitives.Add(plane, new ReadOnlySpan<float>(block, sums.Pixels), plane);
        TensorPrimitives.Multiply(plane, 1f / Networks.PatchDescriptionNetwork.TeacherChannels, plane);
    }
}
