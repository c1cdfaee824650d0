using EfficientAD.Detection;
using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda;

/// <summary>Takes the device's time of a detection, by marks in the stream; the host waits only where it
/// reads.</summary>
internal sealed class StreamClock : DetectionClock
{
    private readonly CudaStream _stream;
    private readonly CudaEvent[] _marks = new CudaEvent[(int)DetectionMark.Downloaded + 1];
    private bool _isWhole;

    public StreamClock(CudaStream stream)
    {
        _stream = stream;
        for (int i = 0; i < _marks.Length; i++) _marks[i] = new CudaEvent(stream.Context, timing: true);
    }

    public override DetectionTimes Read()
    {
        if (!_isWhole) return default;
        _marks[^1].Synchronize();
        return new(Part(0), Part(1), Part(2));
    }

    public override void Dispose()
    {
        foreach (CudaEvent mark in _marks) mark.Dispose();
    }

    internal override void Clear() => _isWhole = false;

    internal override void Mark(DetectionMark mark)
    {
        _marks[(int)mark].Record(_stream);
        _isWhole = mark == DetectionMark.Downloaded;
    }

    private TimeSpan Part(int index) =>
        TimeSpan.FromMilliseconds(_marks[index + 1].MillisecondsSince(_marks[index]));
}
