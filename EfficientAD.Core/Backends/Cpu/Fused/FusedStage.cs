using EfficientAD.Backends.Cpu.Filtering;

namespace EfficientAD.Backends.Cpu.Fused;

/// <summary>Layers that do not depend on each other and run as one parallel loop.</summary>
internal sealed unsafe class FusedStage
{
    private readonly FusedLayer[] _layers;
    private readonly int _items;
    private readonly Action<int, int> _body;  // made once: a run allocates nothing

    public FusedStage(ScratchMemory scratch, params FusedLayer[] layers)
    {
        _layers = layers;
        _items = layers.Sum(layer => layer.Items);
        ScratchPerWorker = layers.Max(layer => layer.Scratch);
        _body = (item, worker) =>
        {
            int index = 0;
            while (item >= _layers[index].Items) item -= _layers[index++].Items;
            _layers[index].Run(item, scratch.Reserve(0) + worker * ScratchPerWorker);
        };
    }

    public long ScratchPerWorker { get; }

    public void Run(WorkerPool pool) => pool.Run(_items, _body);
}
