using EfficientAD.Detection;
using EfficientAD.Imaging;

namespace EfficientAD.Inspection;

/// <summary>Takes a camera's results: one for each frame that was pushed, in that order.</summary>
/// <remarks>Called on the thread that judges, which meanwhile judges nothing else: signal the line here, and leave what
/// takes time (files, networks) to another thread. An exception ends nothing; the first one is thrown by
/// <see cref="InspectionCamera.Complete"/>.</remarks>
public delegate void InspectionHandler(in InspectedFrame frame);

/// <summary>The outcome for one frame. Lives as long as the call of its handler: copy what is needed later, map and
/// pixels too.</summary>
public readonly ref struct InspectedFrame
{
    public required InspectionCamera Camera { get; init; }

    /// <summary>What <see cref="InspectionCamera.Push(ImageView)"/> returned for it: 0, 1, 2, ... without
    /// gaps.</summary>
    public required long Sequence { get; init; }

    /// <summary>When it was captured, as <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> tells time. 0 for a
    /// frame that was dropped more than 1,024 frames ago.</summary>
    public required long CapturedAt { get; init; }

    /// <summary>Verdict, score, map. <see cref="Verdict.Invalid"/> for a frame that was dropped or that could not be
    /// judged: treat the part as not inspected.</summary>
    public required DetectionResult Result { get; init; }

    /// <summary>Whether it was never looked at.</summary>
    public bool IsDropped { get; init; }

    /// <summary>Whether <see cref="CameraOptions.Deadline"/> was missed.</summary>
    public bool IsLate { get; init; }

    /// <summary>From capture to the start of its detection.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>The parts of its detection.</summary>
    public DetectionTimes Detection { get; init; }

    /// <summary>From capture to this result: waiting, detection, and what lies between.</summary>
    public TimeSpan Total { get; init; }

    /// <summary>The frame's pixels; without any where it was dropped, or had another size or format than its camera's
    /// frames.</summary>
    public ImageView Image { get; init; }
}
