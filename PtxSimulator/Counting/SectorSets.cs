using System.Numerics;
using PtxSimulator.Execution;
using PtxSimulator.Instructions;

namespace PtxSimulator.Counting;

/// <summary>Counts the 32-byte sectors of global accesses: those of each instruction, and the different ones of the
/// whole launch.</summary>
internal sealed unsafe class SectorSets(long bytes)
{
    private readonly ulong[] _read = new ulong[bytes / 32 / 64 + 1];
    private readonly ulong[] _written = new ulong[bytes / 32 / 64 + 1];

    public long DistinctRead => _read.Sum(word => (long)BitOperations.PopCount(word));

    public long DistinctWritten => _written.Sum(word => (long)BitOperations.PopCount(word));

    /// <summary>Adds what another worker touched.</summary>
    public void Unite(SectorSets other)
    {
        for (var i = 0; i < _read.Length; i++)
        {
            _read[i] |= other._read[i];
            _written[i] |= other._written[i];
        }
    }

    public void Count(Warp warp, Op* op, OpCounter* counter)
    {
        counter->GlobalBytes += op->Bytes * BitOperations.PopCount(warp.Mask);
        if (warp.Pattern != AccessPattern.Scattered)
        {
            var first = warp.Offsets[0] / 32;
            var last = (warp.Offsets[31] + (uint)op->Bytes - 1) / 32;
            counter->Sectors += last - first + 1;
            for (var sector = first; sector <= last; sector++) Touch(op, sector);
            return;
        }
        // A table of 128 places: sector + 1, or 0 for none.
        var seen = stackalloc uint[128];
        var latest = uint.MaxValue;
        for (var rest = warp.Mask; rest != 0;)
        {
            var offset = warp.Offsets[Lanes.TakeLowest(ref rest)];
            for (var sector = offset / 32; sector <= (offset + (uint)op->Bytes - 1) / 32; sector++)
            {
                if (sector == latest) continue;
                latest = sector;
                var place = sector & 127;
                while (seen[place] != 0 && seen[place] != sector + 1) place = place + 1 & 127;
                if (seen[place] != 0) continue;
                seen[place] = sector + 1;
                counter->Sectors++;
                Touch(op, sector);
            }
        }
    }

    /// <summary>Bytes in a row, of a bulk copy.</summary>
    public void Count(Op* op, uint offset, int bytes, OpCounter* counter)
    {
        counter->GlobalBytes += bytes;
        for (var sector = offset / 32; sector <= (offset + (uint)bytes - 1) / 32; sector++)
        {
            counter->Sectors++;
            if (op->Access == Access.Copy) _read[sector >> 6] |= 1ul << (int)(sector & 63);
            else _written[sector >> 6] |= 1ul << (int)(sector & 63);
        }
    }

    private void Touch(Op* op, uint sector)
    {
        if (op->Access.HasFlag(Access.Read)) _read[sector >> 6] |= 1ul << (int)(sector & 63);
        if (op->Access.HasFlag(Access.Write)) _written[sector >> 6] |= 1ul << (int)(sector & 63);
    }
}
