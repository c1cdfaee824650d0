using EfficientAD.Imaging;

namespace EfficientAD.Inspection;

/// <summary>What a camera of an <see cref="InspectionPipeline"/> delivers, and what happens when it is faster than the
/// detector.</summary>
public sealed record CameraOptions
{
    /// <summary>Of every frame, in pixels. A frame of another size or format is invalid: a camera that changes its
    /// format usually means a fault.</summary>
    public required int Width { get; init; }

    /// <inheritdoc cref="Width"/>
    public required int Height { get; init; }

    public required PixelFormat Format { get; init; }

    /// <summary>Frames that may wait, at least 1; memory for one more is taken.</summary>
    public int QueueLength { get; init; } = 4;

    /// <summary>What to do with a frame that finds the queue full.</summary>
    public FullQueue WhenFull { get; init; }

    /// <summary>How long <see cref="FullQueue.Wait"/> waits before the frame is dropped after all.</summary>
    public TimeSpan WaitLimit { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long after its capture a frame's result is in time; null where it is never late.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Whether results carry the anomaly map; without, resizing it to the image is saved in some
    /// <see cref="Detection.MapOrder"/>s.</summary>
    public bool WantsMap { get; init; }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(QueueLength, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(QueueLength, 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(WaitLimit, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(WaitLimit, TimeSpan.FromDays(1));
        ImageView.BytesOf(Width, Height, checked(Width * ImageView.BytesPerPixelOf(Format)), Format);
    }
}

/// <summary>What happens to a frame that finds its camera's queue full. Whichever frame is dropped is counted and gets
/// a result, <see cref="Detection.Verdict.Invalid"/>.</summary>
public enum FullQueue
{
    /// <summary>The frame that waits longest is dropped: it is the first that would be late. The camera's thread never
    /// waits.</summary>
    DropOldest,

    /// <summary>The new frame is dropped. The camera's thread never waits.</summary>
    DropNewest,

    /// <summary>The camera's thread waits for room, at most <see cref="CameraOptions.WaitLimit"/>; then the new frame
    /// is dropped.</summary>
    Wait,
}
