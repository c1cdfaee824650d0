using System.Diagnostics;

namespace EfficientAD.Detection;

/// <summary>Takes the time of the parts of a detection, for one caller of one detector.</summary>
/// <remarks>Made by <see cref="AnomalyDetector.CreateClock"/>; dispose it before the detector.</remarks>
public abstract class DetectionClock : IDisposable
{
    /// <summary>What the last detection took that was given this clock.</summary>
    public abstract DetectionTimes Read();

    public abstract void Dispose();

    /// <summary>Forgets all marks.</summary>
    internal abstract void Clear();

    /// <summary>Notes the time at which the work given so far is done.</summary>
    internal abstract void Mark(DetectionMark mark);
}

/// <summary>Places between the parts of a detection, in their order.</summary>
internal enum DetectionMark
{
    Start,
    Preprocessed,
    Computed,
    Downloaded,
}

/// <summary>For processors that are done when their call returns.</summary>
internal sealed class HostClock : DetectionClock
{
    private readonly long[] _marks = new long[(int)DetectionMark.Downloaded + 1];

    public override DetectionTimes Read() => _marks[^1] == 0 ? default : new(Part(0), Part(1), Part(2));

    public override void Dispose() { }

    internal override void Clear() => Array.Clear(_marks);

    internal override void Mark(DetectionMark mark) => _marks[(int)mark] = Stopwatch.GetTimestamp();

    private TimeSpan Part(int index) => Stopwatch.GetElapsedTime(_marks[index], _marks[index + 1]);
}
