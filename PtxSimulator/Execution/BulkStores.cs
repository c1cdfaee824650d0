using PtxSimulator.Checking;

namespace PtxSimulator.Execution;

/// <summary>The bulk copies of a warp from shared to global memory, in the groups that its threads commit.</summary>
internal sealed class BulkStores
{
    private const int NoGroup = int.MaxValue;

    private readonly List<(int Lane, int Group, SharedRaces.UnfinishedRead Read)> _pending = [];
    private readonly int[] _groups = new int[32];

    /// <summary>Whether shared memory is still read.</summary>
    public bool IsReading => _pending.Count > 0;

    public void Clear()
    {
        _pending.Clear();
        Array.Clear(_groups);
    }

    public void Add(int lane, SharedRaces.UnfinishedRead read) => _pending.Add((lane, NoGroup, read));

    public void Commit(int lane)
    {
        for (var i = 0; i < _pending.Count; i++)
            if (_pending[i].Lane == lane && _pending[i].Group == NoGroup)
                _pending[i] = _pending[i] with { Group = _groups[lane] };
        _groups[lane]++;
    }

    /// <summary>Ends the reads of all but the latest <paramref name="kept"/> groups of a lane.</summary>
    public void Wait(int lane, int kept, SharedRaces races)
    {
        foreach (var (_, _, read) in _pending.Where(IsDone)) races.EndRead(read);
        _pending.RemoveAll(IsDone);

        bool IsDone((int Lane, int Group, SharedRaces.UnfinishedRead) store) =>
            store.Lane == lane && store.Group < _groups[lane] - kept;
    }
}
