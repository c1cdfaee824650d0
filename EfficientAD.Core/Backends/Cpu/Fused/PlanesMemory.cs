using EfficientAD.Backends.Cpu.Filtering;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>The feature maps of an inference plan: allocated once, zero at first, and never written in their
/// margins.</summary>
/// <param name="samples">Images at a time.</param>
internal sealed class PlanesMemory<TKernels>(int samples) : IDisposable
    where TKernels : struct, IProductKernels
{
    private readonly List<AlignedMemory> _memory = [];

    public ChannelPlanes Allocate(int channels, int height, int width)
    {
        int lanes = TKernels.Lanes, panel = 2 * lanes, blocks = (channels + panel - 1) / panel * 2;
        var planes = new ChannelPlanes(0, lanes, blocks, height, ChannelPlanes.OddPitch(width));
        var memory = new AlignedMemory(samples * blocks * planes.PlaneCount * sizeof(float));
        _memory.Add(memory);
        return planes with { Address = memory.Address };
    }

    /// <summary>Planes with room for the tiles of a form that reads them.</summary>
    public ChannelPlanes Allocate<TReader>(int channels, int height, int width)
        where TReader : struct, IFilterForm
    {
        return Allocate(channels, Extent(height), Extent(width));

        static int Extent(int size)
        {
            int outputs = size - TReader.Kernel + 1;
            return Math.Max(
                size, (outputs + TReader.Outputs - 1) / TReader.Outputs * TReader.Outputs + TReader.Kernel - 1);
        }
    }

    public void Dispose()
    {
        foreach (AlignedMemory memory in _memory) memory.Dispose();
    }
}
