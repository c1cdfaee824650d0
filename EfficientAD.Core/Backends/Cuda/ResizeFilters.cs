using EfficientAD.Imaging;
using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda;

/// <summary>The filters of the last resizes, on the device.</summary>
internal sealed class ResizeFilters(CudaStream stream) : IDisposable
{
    private const int RememberedSizes = 16;

    private readonly Dictionary<PreprocessingSizes, ResizeFilterPair> _pairs = [];

    /// <summary>Waits for the device once, at sizes it does not know.</summary>
    public ResizeFilterPair For(PreprocessingSizes sizes)
    {
        if (_pairs.TryGetValue(sizes, out ResizeFilterPair? known)) return known;
        if (_pairs.Count == RememberedSizes) Dispose();
        return _pairs[sizes] = new ResizeFilterPair(stream, sizes);
    }

    /// <summary>Forgets all.</summary>
    public void Dispose()
    {
        foreach (ResizeFilterPair pair in _pairs.Values) pair.Dispose();
        _pairs.Clear();
    }
}

/// <summary>The filters along both directions of one resize.</summary>
internal sealed class ResizeFilterPair : IDisposable
{
    private readonly DeviceBuffer _memory;

    public ResizeFilterPair(CudaStream stream, PreprocessingSizes sizes)
    {
        var columns = new TriangleFilter(sizes.SourceWidth, sizes.ResizedWidth, sizes.Left, sizes.Width);
        var rows = new TriangleFilter(sizes.SourceHeight, sizes.ResizedHeight, sizes.Top, sizes.Height);
        int[] ofColumns = columns.ToArray(), ofRows = rows.ToArray();
        _memory = new DeviceBuffer(stream, (long)(ofColumns.Length + ofRows.Length) * sizeof(int));
        stream.Upload<int>([.. ofColumns, .. ofRows], _memory.Address);
        Columns = new DeviceFilter(_memory.Address, sizes.Width);
        Rows = new DeviceFilter(_memory.Address + ofColumns.Length * sizeof(int), sizes.Height);
        (FirstRow, RowCount) = (rows.Start(0), rows.End - rows.Start(0));
    }

    public DeviceFilter Columns { get; }

    public DeviceFilter Rows { get; }

    /// <summary>First source row that the result depends on.</summary>
    public int FirstRow { get; }

    /// <summary>Number of source rows that the result depends on.</summary>
    public int RowCount { get; }

    public void Dispose() => _memory.Dispose();
}

/// <summary>Addresses of a <see cref="TriangleFilter"/>'s numbers: <c>int[targets]</c>, <c>int[targets + 1]</c>, and
/// the weights.</summary>
internal readonly record struct DeviceFilter(nint Starts, nint Offsets, nint Weights)
{
    public DeviceFilter(nint address, int targets)
        : this(address, address + targets * sizeof(int), address + (2 * targets + 1) * sizeof(int)) { }
}
