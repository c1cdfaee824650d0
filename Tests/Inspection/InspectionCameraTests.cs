using System.Collections.Concurrent;
using System.Diagnostics;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Inspection;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Inspection;

/// <summary>Queue, order, drops and ends, with a judge that the test holds and releases: nothing depends on
/// time.</summary>
public sealed class InspectionCameraTests : IDisposable
{
    private const int Width = 20, Height = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _entered = new(0), _released = new(0);
    private readonly ConcurrentQueue<Outcome> _outcomes = new();
    private volatile bool _isHeld;

    [Fact]
    public void DropOldest_DropsThoseThatWaitedLongest()
    {
        InspectionCamera camera = Held(FullQueue.DropOldest, out _);
        Assert.Equal([1, 2, 3, 4, 5, 6], PushMany(camera, 6));
        Finish(camera);
        AssertDropped([1, 2], of: 7);
    }

    [Fact]
    public void DropNewest_DropsThoseThatFindTheQueueFull()
    {
        InspectionCamera camera = Held(FullQueue.DropNewest, out _);
        Assert.Equal([1, 2, 3, 4, 5, 6], PushMany(camera, 6));
        Finish(camera);
        AssertDropped([5, 6], of: 7);
    }

    [Fact]
    public void Wait_DropsTheNewestWhenItsTimeIsOver()
    {
        InspectionCamera camera = Held(FullQueue.Wait, out _, limit: TimeSpan.Zero);
        PushMany(camera, 6);
        Finish(camera);
        AssertDropped([5, 6], of: 7);
    }

    [Fact]
    public void Wait_LosesNothingWhenThereIsRoomInTime()
    {
        InspectionCamera camera = Held(FullQueue.Wait, out _, Patience);
        PushMany(camera, 4);
        var producer = new Thread(() => PushMany(camera, 20));
        producer.Start();
        Assert.True(
            SpinWait.SpinUntil(() => producer.ThreadState == System.Threading.ThreadState.WaitSleepJoin, Patience));
        Release();
        producer.Join();
        camera.Complete();
        AssertDropped([], of: 25);
    }

    [Fact]
    public void ManyDrops_AreAllReportedWhileTheJudgeIsHeld()
    {
        InspectionCamera camera = Held(FullQueue.DropOldest, out _);
        PushMany(camera, 3000);
        Finish(camera);
        AssertDropped([.. Enumerable.Range(1, 2996)], of: 3001, remembered: 1024);
    }

    [Fact]
    public async Task CamerasOfSeveralThreads_GetAllResultsInOrder()
    {
        const int cameras = 3, frames = 500;
        var lane = new InspectionLane(Judge);
        InspectionCamera[] all =
            [.. Enumerable.Range(0, cameras).Select(i => Add(lane, FullQueue.Wait, Patience, name: $"{i}"))];
        await Task.WhenAll(all.Select(camera => Task.Run(() => PushMany(camera, frames))));
        foreach (InspectionCamera camera in all) camera.Complete();
        foreach (InspectionCamera camera in all)
        {
            Outcome[] own = [.. _outcomes.Where(outcome => outcome.Camera == camera)];
            Assert.Equal(Enumerable.Range(0, frames).Select(i => (long)i), own.Select(outcome => outcome.Sequence));
            Assert.All(own, outcome => Assert.Equal(ScoreOf((int)outcome.Sequence), outcome.Result.Score));
            CameraStatistics statistics = camera.ReadStatistics();
            Assert.Equal((frames, 0, frames), (statistics.Pushed, statistics.Dropped, statistics.Total.Count));
            Assert.Equal(frames, statistics.Good + statistics.Anomalous);
            Assert.Equal((frames, frames), (statistics.Wait.Count, statistics.Compute.Count));
        }
    }

    [Fact]
    public void OfSeveralCameras_TheFrameThatWasCapturedFirstIsJudgedFirst()
    {
        InspectionCamera first = Held(FullQueue.DropOldest, out InspectionLane lane);
        InspectionCamera second = Add(lane, FullQueue.DropOldest, name: "second");
        long now = Stopwatch.GetTimestamp();
        second.Push(Picture(0), now + 3);
        first.Push(Picture(1), now + 2);
        second.Push(Picture(1), now + 5);
        first.Push(Picture(2), now + 4);
        Release();
        first.Complete();
        second.Complete();
        Assert.Equal(
            [(first, 0), (first, 1), (second, 0), (first, 2), (second, 1)],
            _outcomes.Select(outcome => (outcome.Camera, outcome.Sequence)));
    }

    [Fact]
    public void DetectorThatThrows_MakesOneFrameInvalid()
    {
        var lane = new InspectionLane((ImageView image, AnomalyMap? map, out DetectionTimes times) =>
            image.Pixels[0] == 1 ? throw new InvalidOperationException("lost") : Judge(image, map, out times));
        InspectionCamera camera = Add(lane, FullQueue.Wait, Patience);
        PushMany(camera, 3);
        camera.Complete();
        Assert.Equal(
            [null, "The detector failed: lost", null], _outcomes.Select(outcome => outcome.Result.Reason));
        CameraStatistics statistics = camera.ReadStatistics();
        Assert.Equal((1, 1, 2), (statistics.Invalid, statistics.Faults, statistics.Compute.Count));
    }

    [Fact]
    public void HandlerThatThrows_LosesNoOtherFrameAndIsToldAtTheEnd()
    {
        var lane = new InspectionLane(Judge);
        InspectionCamera camera = Add(lane, FullQueue.Wait, Patience, onResult: sequence =>
        {
            if (sequence == 1) throw new InvalidOperationException("no valve");
        });
        PushMany(camera, 4);
        var error = Assert.Throws<InvalidOperationException>(camera.Complete);
        Assert.Equal("The handler of camera 'camera' failed: no valve", error.Message);
        Assert.Equal([0, 1, 2, 3], _outcomes.Select(outcome => outcome.Sequence));
    }

    [Fact]
    public void FrameOfAnotherSizeOrFormat_IsInvalidAndTheDetectorIsNotAsked()
    {
        var lane = new InspectionLane(Judge);
        InspectionCamera camera = Add(lane, FullQueue.Wait, Patience);
        camera.Push(new ImageView(new byte[30 * 40 * 3], 30, 40, 90, PixelFormat.Bgr24));
        camera.Push(Picture(1));
        camera.Push(default);
        camera.Complete();
        Outcome[] outcomes = [.. _outcomes];
        Assert.Equal(
            "The frame is 30 x 40 Bgr24 but its camera delivers 20 x 16 Grey8.", outcomes[0].Result.Reason);
        Assert.Null(outcomes[1].Result.Reason);
        Assert.StartsWith("The frame is 0 x 0", outcomes[2].Result.Reason);
        Assert.Equal(0, camera.ReadStatistics().Faults);
    }

    [Fact]
    public void Stride_DoesNotMatter()
    {
        var lane = new InspectionLane(Judge);
        InspectionCamera camera = Add(lane, FullQueue.Wait, Patience);
        byte[] padded = new byte[(Width + 5) * Height];
        Array.Fill(padded, (byte)99);
        for (int y = 0; y < Height; y++) Picture(7).Row(y).CopyTo(padded.AsSpan(y * (Width + 5)));
        camera.Push(new ImageView(padded, Width, Height, Width + 5, PixelFormat.Grey8));
        camera.Complete();
        Assert.Equal(ScoreOf(7), Assert.Single(_outcomes).Result.Score);
    }

    [Fact]
    public void Dispose_DropsWhatWaitsAndReportsIt()
    {
        InspectionCamera camera = Held(FullQueue.DropOldest, out _);
        PushMany(camera, 3);
        var disposing = new Thread(camera.Dispose);
        disposing.Start();
        Assert.True(SpinWait.SpinUntil(() => camera.Push(Picture(0)) == -1, Patience));
        Release();
        disposing.Join();
        Assert.Equal(-1, camera.Push(Picture(0)));
        Outcome[] outcomes = [.. _outcomes];
        Assert.Equal(
            Enumerable.Range(0, outcomes.Length).Select(i => (long)i), outcomes.Select(outcome => outcome.Sequence));
        Assert.False(outcomes[0].IsDropped);
        Assert.All(outcomes[1..], outcome => Assert.True(outcome.IsDropped));
        CameraStatistics statistics = camera.ReadStatistics();
        Assert.Equal(outcomes.Length, statistics.Pushed);
        Assert.Equal(outcomes.Length - 1, statistics.Dropped);
    }

    [Fact]
    public void Dispose_FreesAProducerThatWaits()
    {
        InspectionCamera camera = Held(FullQueue.Wait, out _, Patience);
        PushMany(camera, 4);
        long number = 0;
        var producer = new Thread(() => number = camera.Push(Picture(5)));
        producer.Start();
        Assert.True(
            SpinWait.SpinUntil(() => producer.ThreadState == System.Threading.ThreadState.WaitSleepJoin, Patience));
        Release();
        camera.Dispose();
        producer.Join();
        // Either there was room before the end, or the frame was not taken: no result is missing or doubled.
        Assert.Equal(number == -1 ? 5 : 6, _outcomes.Count);
    }

    [Fact]
    public void HandlerMayCloseItsCamera()
    {
        var lane = new InspectionLane(Judge);
        InspectionCamera? camera = null;
        camera = Add(lane, FullQueue.Wait, Patience, onResult: _ => camera!.Dispose());
        camera.Push(Picture(0));
        Assert.True(SpinWait.SpinUntil(() => camera.Push(Picture(1)) == -1, Patience));
        camera.Complete();
        Assert.False(_outcomes.First().IsDropped);
    }

    [Fact]
    public void TwoThreadsOnOneCamera_AreRefused()
    {
        InspectionCamera camera = Held(FullQueue.Wait, out _, Patience);
        PushMany(camera, 4);
        var producer = new Thread(() => camera.Push(Picture(5), 104));
        producer.Start();
        Assert.True(
            SpinWait.SpinUntil(() => producer.ThreadState == System.Threading.ThreadState.WaitSleepJoin, Patience));
        var error = Assert.Throws<InvalidOperationException>(() => camera.Push(Picture(6)));
        Assert.StartsWith("Two threads push frames to camera 'camera'.", error.Message);
        Release();
        producer.Join();
        camera.Complete();
        AssertDropped([], of: 6);
    }

    [Fact]
    public void Deadline_CountsFromTheCapture()
    {
        var lane = new InspectionLane(Judge);
        InspectionCamera camera = Add(lane, FullQueue.Wait, Patience, deadline: TimeSpan.FromHours(1));
        camera.Push(Picture(0), Stopwatch.GetTimestamp() - 2 * 3600 * Stopwatch.Frequency);
        camera.Push(Picture(1));
        camera.Complete();
        Assert.Equal([true, false], _outcomes.Select(outcome => outcome.IsLate));
        Assert.Equal(1, camera.ReadStatistics().Late);
        Assert.True(_outcomes.First().Total > TimeSpan.FromHours(2));
    }

    [Fact]
    public void FramesAllocateNothing()
    {
        const int warmUp = 50, frames = 500;
        long before = 0, after = -1;
        var lane = new InspectionLane(Judge);
        CameraOptions options = Options(FullQueue.Wait, Patience);
        var camera = new InspectionCamera("camera", options, lane, (in InspectedFrame frame) =>
        {
            if (frame.Sequence == warmUp) before = GC.GetAllocatedBytesForCurrentThread();
            if (frame.Sequence == warmUp + frames) after = GC.GetAllocatedBytesForCurrentThread();
        });
        lane.TryAdd(camera);
        byte[] pixels = Picture(1).Pixels.ToArray();
        long start = 0;
        for (int i = 0; i <= warmUp + frames; i++)
        {
            if (i == warmUp) start = GC.GetAllocatedBytesForCurrentThread();
            camera.Push(new ImageView(pixels, Width, Height, Width, PixelFormat.Grey8));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - start);
        camera.Complete();
        Assert.Equal(0, after - before);
    }

    [Theory, InlineData(0, 0), InlineData(1025, 0), InlineData(1, -1)]
    public void OptionsOutOfRange_AreRefused(int queueLength, int milliseconds)
    {
        CameraOptions options = Options(FullQueue.Wait, TimeSpan.FromMilliseconds(milliseconds));
        Assert.Throws<ArgumentOutOfRangeException>(() => (options with { QueueLength = queueLength }).Validate());
    }

    public void Dispose()
    {
        _entered.Dispose();
        _released.Dispose();
    }

    private static CameraOptions Options(FullQueue whenFull, TimeSpan limit) => new()
    {
        Width = Width,
        Height = Height,
        Format = PixelFormat.Grey8,
        QueueLength = 4,
        WhenFull = whenFull,
        WaitLimit = limit,
    };

    /// <summary>A camera whose frame 0 the judge has in hand and does not let go of.</summary>
    private InspectionCamera Held(FullQueue whenFull, out InspectionLane lane, TimeSpan limit = default)
    {
        lane = new InspectionLane(Judge);
        InspectionCamera camera = Add(lane, whenFull, limit);
        _isHeld = true;
        camera.Push(Picture(0), 1);
        _entered.Wait();
        return camera;
    }

    private InspectionCamera Add(
        InspectionLane lane, FullQueue whenFull, TimeSpan limit = default, string name = "camera",
        Action<long>? onResult = null, TimeSpan? deadline = null)
    {
        CameraOptions options = Options(whenFull, limit) with { Deadline = deadline };
        var camera = new InspectionCamera(name, options, lane, (in InspectedFrame frame) =>
        {
            _outcomes.Enqueue(new Outcome(
                frame.Camera, frame.Sequence, frame.CapturedAt, frame.Result, frame.IsDropped, frame.IsLate,
                frame.Total));
            onResult?.Invoke(frame.Sequence);
        });
        Assert.True(lane.TryAdd(camera));
        return camera;
    }

    private DetectionResult Judge(ImageView image, AnomalyMap? map, out DetectionTimes times)
    {
        if (_isHeld)
        {
            _entered.Release();
            _released.Wait();
        }

        times = new DetectionTimes(new TimeSpan(1), new TimeSpan(2), new TimeSpan(3));
        float score = CounterRandomOf(image);
        return new DetectionResult(score > 0.5f ? Verdict.Anomalous : Verdict.Good, score, score, map, null);
    }

    private void Release()
    {
        _isHeld = false;
        _released.Release();
    }

    private void Finish(InspectionCamera camera)
    {
        Release();
        camera.Complete();
    }

    private static long[] PushMany(InspectionCamera camera, int count)
    {
        var numbers = new long[count];
        for (int i = 0; i < count; i++) numbers[i] = camera.Push(Picture(i), 100 + i);
        return numbers;
    }

    /// <summary>Frame 0 was captured at 1, and frame i > 0, the (i - 1)th of <see cref="PushMany"/>, at
    /// 99 + i.</summary>
    private void AssertDropped(int[] dropped, int of, int remembered = int.MaxValue)
    {
        Outcome[] outcomes = [.. _outcomes];
        Assert.Equal(Enumerable.Range(0, of).Select(i => (long)i), outcomes.Select(outcome => outcome.Sequence));
        Assert.Equal(
            dropped.Select(i => (long)i),
            outcomes.Where(outcome => outcome.IsDropped).Select(outcome => outcome.Sequence));
        Assert.All(
            outcomes.Where(outcome => outcome.IsDropped),
            outcome => Assert.Equal(Verdict.Invalid, outcome.Result.Verdict));
        if (of < 20)
        {
            Assert.Equal(
                outcomes.Select((_, i) => i == 0 ? 1L : 99 + i), outcomes.Select(outcome => outcome.CapturedAt));
        }

        if (of > remembered) Assert.Equal(0, outcomes[dropped[0]].CapturedAt);
        CameraStatistics statistics = outcomes[0].Camera.ReadStatistics();
        Assert.Equal(
            (of, dropped.Length, of - dropped.Length), (statistics.Pushed, statistics.Dropped, statistics.Total.Count));
    }

    /// <summary>A picture whose first pixel tells which it is.</summary>
    private static ImageView Picture(int index)
    {
        var pixels = new byte[Width * Height];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = (byte)(index + i);
        return new ImageView(pixels, Width, Height, Width, PixelFormat.Grey8);
    }

    private static float ScoreOf(int index) => CounterRandomOf(Picture(index));

    /// <summary>A number that every pixel has a part in.</summary>
    private static float CounterRandomOf(ImageView image)
    {
        ulong hash = 0;
        foreach (byte pixel in image.Pixels) hash = hash * 31 + pixel;
        return new CounterRandom(hash, 0).Uniform(0, 0, 1);
    }

    private sealed record Outcome(
        InspectionCamera Camera, long Sequence, long CapturedAt, DetectionResult Result, bool IsDropped, bool IsLate,
        TimeSpan Total);
}
