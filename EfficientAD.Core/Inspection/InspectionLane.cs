using EfficientAD.Detection;
using EfficientAD.Imaging;

namespace EfficientAD.Inspection;

/// <summary>Judges one image, into a map where one is given.</summary>
internal delegate DetectionResult InspectionJudge(ImageView image, AnomalyMap? map, out DetectionTimes times);

/// <summary>A thread that judges the frames of one or more cameras, those first that were captured first.</summary>
internal sealed class InspectionLane
{
    private readonly List<InspectionCamera> _cameras = [];
    private readonly InspectionJudge _judge;
    private readonly IDisposable? _resource;
    private readonly Thread _thread;
    private bool _hasStarted;

    /// <param name="resource">Disposed by the thread at its end.</param>
    public InspectionLane(InspectionJudge judge, IDisposable? resource = null)
    {
        (_judge, _resource) = (judge, resource);
        _thread = new Thread(Run) { IsBackground = true, Name = "EfficientAD inspection" };
    }

    /// <summary>Held for the few instructions that move a frame from one hand to another.</summary>
    public object Gate { get; } = new();

    /// <summary>Whether its last camera is finished, so that its thread has ended or is about to.</summary>
    public bool IsOver
    {
        get
        {
            lock (Gate) return _hasStarted && _cameras.Count == 0;
        }
    }

    /// <returns>False if the lane is over.</returns>
    public bool TryAdd(InspectionCamera camera)
    {
        lock (Gate)
        {
            if (IsOver) return false;
            _cameras.Add(camera);
            if (!_hasStarted) _thread.Start();
            _hasStarted = true;
            return true;
        }
    }

    /// <summary>Waits until a camera that was closed is finished, and until the thread has ended if it was the last
    /// one.</summary>
    public void WaitFor(InspectionCamera camera)
    {
        if (Thread.CurrentThread == _thread) return;
        bool isOver;
        lock (Gate)
        {
            while (_cameras.Contains(camera)) Monitor.Wait(Gate);
            isOver = IsOver;
        }

        if (isOver) _thread.Join();
    }

    private void Run()
    {
        using IDisposable? resource = _resource;
        while (true)
        {
            InspectionCamera? camera;
            FrameSlot? slot;
            long droppedBefore;
            lock (Gate)
            {
                while ((camera = Next()) is null)
                {
                    if (_cameras.Count == 0) return;
                    Monitor.Wait(Gate);
                }

                slot = camera.Take(out droppedBefore);
            }

            camera.Process(slot, droppedBefore, _judge);
        }
    }

    /// <summary>The camera that is to be served next, or null; those that are finished are let go.</summary>
    private InspectionCamera? Next()
    {
        InspectionCamera? next = null;
        for (int i = _cameras.Count - 1; i >= 0; i--)
        {
            InspectionCamera camera = _cameras[i];
            if (camera.IsFinished)
            {
                _cameras.RemoveAt(i);
                Monitor.PulseAll(Gate);
            }
            else if (camera.HasOnlyDropped)
            {
                return camera;  // no work, and its turn would never come while others have frames
            }
            else if (camera.Oldest is { } oldest && (next is null || oldest <= next.Oldest))
            {
                next = camera;
            }
        }

        return next;
    }
}
