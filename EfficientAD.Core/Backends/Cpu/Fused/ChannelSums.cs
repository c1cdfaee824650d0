namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>Sums over the channels of a block, [sample][block][pixel].</summary>
internal readonly unsafe record struct ChannelSums(nint Address, int Blocks, int Pixels)
{
    public long SampleCount => (long)Blocks * Pixels;

    /// <summary>The same memory, seen so that this sample is the first.</summary>
    public ChannelSums From(int sample) =>
        this with { Address = Address + (nint)(sample * SampleCount * sizeof(float)) };
}
