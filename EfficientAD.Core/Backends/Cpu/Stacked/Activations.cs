using EfficientAD.Backends.Cpu.Filtering;

namespace EfficientAD.Backends.Cpu.Stacked;

/// <summary>What one layer hands to the next: its output in channel planes and, in training, the output's gradient and
/// the signs of what was rectified.</summary>
internal sealed class Activations : IDisposable
{
    private readonly List<AlignedMemory> _memory = [];

    /// <param name="height">Of the output, after pooling.</param>
    /// <param name="width">Of the output, after pooling.</param>
    /// <param name="extent">What the reader's tiles cover of so many values; the margin stays zero. Null where nobody
    /// reads planes: the output goes elsewhere.</param>
    public Activations(
        int samples, int blocks, int height, int width, bool isPooled, int lanes, Func<int, int>? extent,
        bool isTrained)
    {
        (Height, Width, IsPooled) = (height, width, isPooled);
        int scale = isPooled ? 2 : 1;
        (FullHeight, FullWidth) = (scale * height, scale * width);
        if (extent is not null) Values = Planes(extent(height), extent(width));
        if (!isTrained) return;
        Gradient = Planes(height, width);
        if (extent is not null)
            Signs = new SignPlanes(
                Allocate(SignPlanes.Bytes(samples, blocks, FullHeight, FullWidth)), blocks, FullHeight, FullWidth);

        ChannelPlanes Planes(int rows, int columns)
        {
            var planes = new ChannelPlanes(0, lanes, blocks, rows, ChannelPlanes.OddPitch(columns));
            return planes with { Address = Allocate(samples * blocks * planes.PlaneCount * sizeof(float)) };
        }
    }

    private Activations(Activations whole, int sample)
    {
        (Height, Width, IsPooled) = (whole.Height, whole.Width, whole.IsPooled);
        (FullHeight, FullWidth) = (whole.FullHeight, whole.FullWidth);
        Values = whole.Values.From(sample);
        if (whole.Gradient.Address == 0) return;
        (Gradient, Signs) = (whole.Gradient.From(sample), whole.Signs.From(sample));
    }

    public ChannelPlanes Values { get; }

    /// <summary>After pooling; without margins.</summary>
    public ChannelPlanes Gradient { get; }

    public SignPlanes Signs { get; }

    public int Height { get; }

    public int Width { get; }

    public bool IsPooled { get; }

    /// <summary>Rows before pooling, as far as the pool reads them.</summary>
    public int FullHeight { get; }

    /// <summary>Columns before pooling, as far as the pool reads them.</summary>
    public int FullWidth { get; }

    /// <summary>The same memory, which has readers, seen so that this sample is the first.</summary>
    public Activations From(int sample) => new(this, sample);

    public void Dispose()
    {
        foreach (AlignedMemory memory in _memory) memory.Dispose();
    }

    private nint Allocate(long bytes)
    {
        var memory = new AlignedMemory(bytes);
        _memory.Add(memory);
        return memory.Address;
    }
}
