using EfficientAD.Backends.Cpu.Filtering;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>Chains of layers that do not depend on each other, run side by side: a thread takes items of the first
/// chain that has some, so that nobody waits at the end of a layer while another chain has work.</summary>
/// <remarks>Which thread computes an item has no influence on its values.</remarks>
internal sealed unsafe class FusedRegion
{
    private readonly FusedChain[] _chains;
    private readonly ScratchMemory _scratch;
    private readonly Action<int, int> _work;  // made once: a run allocates nothing
    private volatile bool _failed;

    /// <param name="scratch">Grows to what the region needs; regions that run one after the other share it.</param>
    /// <param name="chains">Those that take longest, seen from start to end, first.</param>
    public FusedRegion(ScratchMemory scratch, int threads, params FusedChain[] chains)
    {
        (_scratch, _chains) = (scratch, chains);
        long each = chains.SelectMany(chain => chain.Layers).Max(layer => layer.Scratch);
        scratch.Reserve(each * threads);
        _work = (_, worker) => Work(_scratch.Reserve(0) + worker * each);
    }

    public IEnumerable<FusedLayer> Layers => _chains.SelectMany(chain => chain.Layers);

    public void Run(WorkerPool pool)
    {
        _failed = false;
        foreach (FusedChain chain in _chains) chain.Start();
        pool.Run(pool.Threads, _work);
    }

    private void Work(float* scratch)
    {
        try
        {
            var spin = new SpinWait();
            while (!_failed)
            {
                if (TryRunItem(scratch)) spin.Reset();
                else if (Array.TrueForAll(_chains, chain => chain.IsFinished)) return;
                else spin.SpinOnce(sleep1Threshold: -1);
            }
        }
        catch
        {
            _failed = true;  // or the others would wait for ever
            throw;
        }
    }

    private bool TryRunItem(float* scratch)
    {
        foreach (FusedChain chain in _chains)
        {
            if (!chain.TryTake(out FusedLayer layer, out int item)) continue;
            layer.Run(item, scratch);
            chain.Complete();
            return true;
        }

        return false;
    }
}
