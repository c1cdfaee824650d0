using EfficientAD.Detection;

namespace EfficientAD.Inspection;

/// <summary>From cameras to verdicts: each camera's frames wait in memory that was taken once, a thread for each
/// detector judges them, and a handler gets one result for every frame, in order.</summary>
/// <remarks>
/// Thread-safe. Cameras come and go while others run. Cameras with the same detector share its thread: the frame that
/// was captured first is judged first. For work side by side give each camera a detector of its own, on the CPU with
/// its share of the threads; on a CUDA device each detector has its own stream.
/// <code>
/// using var detector = AnomalyDetector.Load("bottle.safetensors");
/// using var pipeline = new InspectionPipeline();
/// InspectionCamera camera = pipeline.AddCamera("top", detector, options, OnInspected);
/// long number = camera.Push(new ImageView(pixels, 640, 480, stride, PixelFormat.Bgr24));   // on the camera's thread
/// </code>
/// </remarks>
public sealed class InspectionPipeline : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<AnomalyDetector, InspectionLane> _lanes = [];
    private readonly List<InspectionCamera> _cameras = [];
    private bool _isDisposed;

    /// <summary>Starts to take a camera's frames.</summary>
    /// <param name="name">For messages and tables.</param>
    /// <param name="detector">Stays the caller's; dispose it after the cameras that use it.</param>
    /// <param name="handler">Takes the results.</param>
    public InspectionCamera AddCamera(
        string name, AnomalyDetector detector, CameraOptions options, InspectionHandler handler)
    {
        options.Validate();
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Forget();
            while (true)
            {
                if (!_lanes.TryGetValue(detector, out InspectionLane? lane)) lane = _lanes[detector] = LaneOf(detector);
                var camera = new InspectionCamera(name, options, lane, handler);
                if (lane.TryAdd(camera))
                {
                    _cameras.Add(camera);
                    return camera;
                }

                _lanes.Remove(detector);  // its last camera ended just now
            }
        }
    }

    /// <summary>Takes no more frames of any camera, and waits until all results are delivered.</summary>
    /// <exception cref="InvalidOperationException">A handler threw: see
    /// <see cref="InspectionCamera.Complete"/>.</exception>
    public void Complete()
    {
        foreach (InspectionCamera camera in Cameras()) camera.Complete();
    }

    /// <summary>Takes no more frames, drops those that wait, and waits until all results are delivered. Detectors are
    /// left alone.</summary>
    public void Dispose()
    {
        lock (_lock) _isDisposed = true;
        foreach (InspectionCamera camera in Cameras()) camera.Dispose();
    }

    /// <summary>Lets go of what has ended.</summary>
    private void Forget()
    {
        _cameras.RemoveAll(camera => camera.IsFinished);
        foreach ((AnomalyDetector detector, InspectionLane lane) in _lanes)
        {
            if (lane.IsOver) _lanes.Remove(detector);
        }
    }

    private InspectionCamera[] Cameras()
    {
        lock (_lock) return [.. _cameras];
    }

    private static InspectionLane LaneOf(AnomalyDetector detector)
    {
        DetectionClock clock = detector.CreateClock();
        return new InspectionLane(
            (image, map, out times) =>
            {
                DetectionResult result = detector.Detect(image, map, clock);
                times = clock.Read();
                return result;
            },
            clock);
    }
}
