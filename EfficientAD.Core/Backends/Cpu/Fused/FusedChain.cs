namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>Layers each of which needs the one before it. Items of the current layer are handed out one by one; whoever
/// completes its last one opens the next layer.</summary>
internal sealed class FusedChain(params FusedLayer[] layers)
{
    // High half: the current layer; low half: its items that nobody has taken. One word, so that both change together.
    private long _untaken;
    private int _unfinished;

    public IReadOnlyList<FusedLayer> Layers => layers;

    public bool IsFinished => Volatile.Read(ref _untaken) >> 32 == layers.Length;

    /// <summary>Begins anew. No thread may be at work on the chain.</summary>
    public void Start() => Open(0);

    /// <returns>False where the chain has nothing to do just now: it is finished, or others complete its
    /// layer.</returns>
    public bool TryTake(out FusedLayer layer, out int item)
    {
        long untaken = Volatile.Read(ref _untaken);
        while ((uint)untaken != 0)
        {
            long seen = Interlocked.CompareExchange(ref _untaken, untaken - 1, untaken);
            if (seen == untaken)
            {
                layer = layers[(int)(untaken >> 32)];
                item = layer.Items - (int)(uint)untaken;
                return true;
            }

            untaken = seen;
        }

        (layer, item) = (null!, 0);
        return false;
    }

    /// <summary>Says that an item which was taken is done.</summary>
    public void Complete()
    {
        if (Interlocked.Decrement(ref _unfinished) == 0) Open((int)(Volatile.Read(ref _untaken) >> 32) + 1);
    }

    private void Open(int layer)
    {
        while (layer < layers.Length && layers[layer].Items == 0) layer++;
        int items = layer < layers.Length ? layers[layer].Items : 0;
        Volatile.Write(ref _unfinished, items);
        Volatile.Write(ref _untaken, ((long)layer << 32) | (uint)items);
    }
}
