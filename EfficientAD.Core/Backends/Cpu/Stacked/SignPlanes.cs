namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>Which rectified values are not zero, [sample][block][row][column], one bit per lane: all that the backward
/// pass needs of them, in a thirty-second of their memory.</summary>
/// <param name="Address">Zero where nothing is kept.</param>
internal readonly unsafe record struct SignPlanes(nint Address, int Blocks, int Height, int Width)
{
    public static long Bytes(int samples, int blocks, int height, int width) =>
        (long)samples * blocks * height * width * sizeof(ushort);

    /// <summary>The same memory, seen so that this sample is the first.</summary>
    public SignPlanes From(int sample) => this with { Address = (nint)Row(sample, 0, 0) };

    public ushort* Row(int sample, int block, int y) =>
        (ushort*)Address + (((long)sample * Blocks + block) * Height + y) * Width;
}
