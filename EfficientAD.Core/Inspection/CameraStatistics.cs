using EfficientAD.Detection;

namespace EfficientAD.Inspection;

/// <summary>What became of a camera's frames so far: every frame pushed is waiting, or one of good, anomalous, invalid
/// and dropped.</summary>
public sealed class CameraStatistics
{
    public long Pushed { get; internal set; }

    public long Good { get; private set; }

    public long Anomalous { get; private set; }

    /// <summary>Looked at, but no statement can be made: blank, of another size, or the detector failed.</summary>
    public long Invalid { get; private set; }

    /// <summary>Of these, those at which the detector threw an exception.</summary>
    public long Faults { get; private set; }

    /// <summary>Never looked at, because the queue was full or the camera was disposed.</summary>
    public long Dropped { get; private set; }

    /// <summary>Judged, but later than <see cref="CameraOptions.Deadline"/>.</summary>
    public long Late { get; private set; }

    /// <summary>From capture to result, of the frames that were judged.</summary>
    public LatencyHistogram Total { get; } = new();

    /// <summary>From capture to the start of detection.</summary>
    public LatencyHistogram Wait { get; } = new();

    /// <inheritdoc cref="DetectionTimes.Preprocess"/>
    public LatencyHistogram Preprocess { get; } = new();

    /// <inheritdoc cref="DetectionTimes.Compute"/>
    public LatencyHistogram Compute { get; } = new();

    /// <inheritdoc cref="DetectionTimes.Download"/>
    public LatencyHistogram Download { get; } = new();

    /// <summary>Adds what another camera counted.</summary>
    public void Add(CameraStatistics other)
    {
        Pushed += other.Pushed;
        Good += other.Good;
        Anomalous += other.Anomalous;
        Invalid += other.Invalid;
        Faults += other.Faults;
        Dropped += other.Dropped;
        Late += other.Late;
        Total.Add(other.Total);
        Wait.Add(other.Wait);
        Preprocess.Add(other.Preprocess);
        Compute.Add(other.Compute);
        Download.Add(other.Download);
    }

    internal void CountDropped() => Dropped++;

    internal void Count(in InspectedFrame frame, bool isFault)
    {
        if (frame.Result.Verdict == Verdict.Good) Good++;
        else if (frame.Result.Verdict == Verdict.Anomalous) Anomalous++;
        else Invalid++;
        if (isFault) Faults++;
        if (frame.IsLate) Late++;
        Total.Record(frame.Total);
        Wait.Record(frame.Wait);
        if (frame.Detection == default) return;
        Preprocess.Record(frame.Detection.Preprocess);
        Compute.Record(frame.Detection.Compute);
        Download.Record(frame.Detection.Download);
    }
}
