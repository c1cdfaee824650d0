using System.Diagnostics;
using EfficientAD.Detection;
using EfficientAD.Imaging;

namespace EfficientAD.Inspection;

/// <summary>A source of frames in an <see cref="InspectionPipeline"/>: its queue, its results, its
/// statistics.</summary>
/// <remarks>Frames are pushed by one thread at a time; everything else may be called from any thread. Nothing is
/// allocated per frame.</remarks>
public sealed class InspectionCamera : IDisposable
{
    private const string DroppedReason = "The frame was dropped: it was not looked at.";
    private const int RememberedFrames = 1024;

    private readonly InspectionLane _lane;
    private readonly InspectionHandler _handler;
    private readonly AnomalyMap? _map;
    private readonly Queue<FrameSlot> _queue;
    private readonly Stack<FrameSlot> _free;
    private readonly long[] _captured = new long[RememberedFrames];  // by sequence number
    private readonly CameraStatistics _statistics = new();  // under a lock of its own: who reads it stops no camera
    private Exception? _handlerFault;
    private long _pushed, _delivered;
    private bool _isPushing, _isClosed;

    internal InspectionCamera(string name, CameraOptions options, InspectionLane lane, InspectionHandler handler)
    {
        (Name, Options, _lane, _handler) = (name, options, lane, handler);
        if (options.WantsMap) _map = new AnomalyMap(options.Width, options.Height);
        _queue = new Queue<FrameSlot>(options.QueueLength);
        _free = new Stack<FrameSlot>(options.QueueLength + 1);
        for (int i = 0; i <= options.QueueLength; i++) _free.Push(new FrameSlot(options));
    }

    public string Name { get; }

    public CameraOptions Options { get; }

    /// <summary>When the frame that waits longest was captured; null where none waits.</summary>
    internal long? Oldest => _queue.TryPeek(out FrameSlot? slot) ? slot.CapturedAt : null;

    /// <summary>Whether all that is left are frames that were dropped.</summary>
    internal bool HasOnlyDropped => _queue.Count == 0 && _delivered < _pushed;

    /// <summary>Whether there is nothing to do and nothing will come.</summary>
    internal bool IsFinished => _isClosed && _delivered == _pushed;

    /// <summary>As <see cref="Push(ImageView, long)"/>, captured now.</summary>
    public long Push(ImageView image) => Push(image, Stopwatch.GetTimestamp());

    /// <summary>Gives a frame to the detector. Returns as soon as its pixels are copied: only
    /// <see cref="FullQueue.Wait"/> waits, for room.</summary>
    /// <param name="image">May be overwritten afterwards.</param>
    /// <param name="capturedAt">When it was captured, as <see cref="Stopwatch.GetTimestamp"/> tells time: latency and
    /// deadline count from there.</param>
    /// <returns>The frame's number, 0, 1, 2, ...: its result, also of a frame that is dropped, carries it. -1 once the
    /// camera is closed: such a frame has no result.</returns>
    /// <exception cref="InvalidOperationException">Another thread is pushing to this camera.</exception>
    public long Push(ImageView image, long capturedAt)
    {
        FrameSlot slot;
        lock (_lane.Gate)
        {
            if (_isPushing)
            {
                throw new InvalidOperationException(
                    $"Two threads push frames to camera '{Name}'. Add a camera for each.");
            }

            _isPushing = true;
            bool hasRoom = MakeRoom();
            if (!hasRoom || _isClosed)
            {
                _isPushing = false;
                return _isClosed ? -1 : Number(capturedAt);
            }

            slot = _free.Pop();
        }

        slot.Fill(image);
        lock (_lane.Gate)
        {
            _isPushing = false;
            if (_isClosed)
            {
                _free.Push(slot);
                return -1;
            }

            (slot.CapturedAt, slot.Sequence) = (capturedAt, Number(capturedAt));
            _queue.Enqueue(slot);
            return slot.Sequence;
        }
    }

    /// <summary>What became of the frames so far; a copy.</summary>
    public CameraStatistics ReadStatistics()
    {
        var copy = new CameraStatistics();
        lock (_lane.Gate) copy.Pushed = _pushed;
        lock (_statistics) copy.Add(_statistics);
        return copy;
    }

    /// <summary>Takes no more frames, and waits until all results are delivered. The handler itself may call it, and is
    /// not waited for then.</summary>
    /// <exception cref="InvalidOperationException">The handler threw; the first exception is inside.</exception>
    public void Complete()
    {
        Close(discard: false);
        if (_handlerFault is { } fault)
            throw new InvalidOperationException($"The handler of camera '{Name}' failed: {fault.Message}", fault);
    }

    /// <summary>Takes no more frames, drops those that wait (their results say so), and waits until all results are
    /// delivered, as <see cref="Complete"/> does.</summary>
    public void Dispose() => Close(discard: true);

    /// <summary>Takes the frame that waits longest, and notes up to which one everything before it was
    /// dropped.</summary>
    /// <remarks>Under the gate, as all that is internal but <see cref="Process"/>.</remarks>
    internal FrameSlot? Take(out long droppedBefore)
    {
        bool has = _queue.TryDequeue(out FrameSlot? slot);
        droppedBefore = has ? slot!.Sequence : _pushed;
        if (has) Monitor.PulseAll(_lane.Gate);
        return slot;
    }

    /// <summary>Delivers what <see cref="Take"/> gave, on the lane's thread and outside of the gate.</summary>
    internal void Process(FrameSlot? slot, long droppedBefore, InspectionJudge judge)
    {
        for (long sequence = _delivered; sequence < droppedBefore; sequence++) DeliverDropped(sequence);
        if (slot is null) return;

        long start = Stopwatch.GetTimestamp();
        DetectionTimes times = default;
        DetectionResult result;
        bool isFault = false;
        try
        {
            result = slot.Fault is { } reason
                ? DetectionResult.Invalid(reason)
                : judge(slot.Image, _map, out times);
        }
        catch (Exception failure)
        {
            // The part was not inspected; the next one may be.
            result = DetectionResult.Invalid($"The detector failed: {failure.Message}");
            (times, isFault) = (default, true);
        }

        TimeSpan total = Stopwatch.GetElapsedTime(slot.CapturedAt);
        Deliver(new InspectedFrame
        {
            Camera = this,
            Sequence = slot.Sequence,
            CapturedAt = slot.CapturedAt,
            Result = result,
            IsLate = total > Options.Deadline,
            Wait = Stopwatch.GetElapsedTime(slot.CapturedAt, start),
            Detection = times,
            Total = total,
            Image = slot.Image,
        }, isFault);
        lock (_lane.Gate) _free.Push(slot);
    }

    private void DeliverDropped(long sequence)
    {
        long capturedAt;
        lock (_lane.Gate)
            capturedAt = _pushed - sequence > RememberedFrames ? 0 : _captured[sequence % RememberedFrames];
        Deliver(new InspectedFrame
        {
            Camera = this,
            Sequence = sequence,
            CapturedAt = capturedAt,
            Result = DetectionResult.Invalid(DroppedReason),
            IsDropped = true,
        }, isFault: false);
    }

    private void Deliver(in InspectedFrame frame, bool isFault)
    {
        lock (_statistics)
        {
            if (frame.IsDropped) _statistics.CountDropped();
            else _statistics.Count(frame, isFault);
        }

        try
        {
            _handler(frame);
        }
        catch (Exception failure)
        {
            _handlerFault ??= failure;
        }

        lock (_lane.Gate) _delivered++;
    }

    /// <returns>Whether the queue has room for one more frame.</returns>
    private bool MakeRoom()
    {
        if (_queue.Count < Options.QueueLength) return true;
        if (Options.WhenFull == FullQueue.DropOldest)
        {
            _free.Push(_queue.Dequeue());
            return true;
        }

        if (Options.WhenFull == FullQueue.DropNewest) return false;
        long start = Stopwatch.GetTimestamp();
        while (!_isClosed && _queue.Count == Options.QueueLength)
        {
            TimeSpan left = Options.WaitLimit - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero) return false;
            Monitor.Wait(_lane.Gate, (int)Math.Ceiling(left.TotalMilliseconds));
        }

        return true;
    }

    /// <summary>Gives a frame its number, and the lane something to do: to judge it, or to report that it was
    /// dropped.</summary>
    private long Number(long capturedAt)
    {
        _captured[_pushed % RememberedFrames] = capturedAt;
        Monitor.PulseAll(_lane.Gate);
        return _pushed++;
    }

    private void Close(bool discard)
    {
        lock (_lane.Gate)
        {
            _isClosed = true;
            while (discard && _queue.TryDequeue(out FrameSlot? slot)) _free.Push(slot);
            Monitor.PulseAll(_lane.Gate);
        }

        _lane.WaitFor(this);
    }
}
