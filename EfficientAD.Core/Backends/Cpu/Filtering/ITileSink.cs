namespace EfficientAD.Backends.Cpu.Filtering;

/// <summary>Takes finished tiles of a convolution.</summary>
internal unsafe interface ITileSink
{
    /// <summary>Output channels; a block of lanes may reach beyond the last.</summary>
    int Channels { get; }

    /// <param name="tile">[size][size] vectors of <paramref name="lanes"/> channels.</param>
    /// <param name="channel">The first lane's.</param>
    /// <param name="at">Sample and place in tiles.</param>
    void Store(float* tile, int size, int lanes, int channel, (int Sample, int Row, int Column) at);
}
