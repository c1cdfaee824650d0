using System.Diagnostics;
using EfficientAD.Cli.Files;
using EfficientAD.Detection;
using EfficientAD.Imaging;
using EfficientAD.Inspection;

namespace EfficientAD.Cli.Runs;

/// <summary>Plays images from memory to an inspection pipeline, as cameras with a fixed rate would.</summary>
internal static class ReplayedCamera
{
    private const long FramesBudget = 1L << 30;
    private const int WarmUps = 20;

    /// <summary>Reads images of one size, as many as fit into 1 GB.</summary>
    /// <param name="argument">A file, a folder or a pattern.</param>
    /// <exception cref="ImageFormatException">An image cannot be read, or has another size than the first.</exception>
    public static RgbImage[] ReadFrames(string argument, CancellationToken cancellation)
    {
        List<RgbImage> frames = [];
        long bytes = 0;
        foreach (ImagePath path in ImagePaths.Expand([argument]))
        {
            cancellation.ThrowIfCancellationRequested();
            RgbImage image = ImageReader.Default.Read(path.Path);
            bytes += image.Pixels.Length;
            if (frames.Count > 0 && bytes > FramesBudget) break;
            if (frames.Count > 0 && (image.Width != frames[0].Width || image.Height != frames[0].Height))
            {
                throw new ImageFormatException(
                    $"{path.Path} is {image.Width} x {image.Height} but the first image {frames[0].Width} x " +
                    $"{frames[0].Height}. A camera's frames have one size.");
            }

            frames.Add(image);
        }

        return [.. frames];
    }

    /// <summary>Runs the cameras for a while.</summary>
    /// <returns>What became of each camera's frames. A few more went before, so that everything is compiled and
    /// loaded.</returns>
    /// <exception cref="OperationCanceledException">The user wants to stop.</exception>
    public static CameraStatistics[] Run(
        AnomalyDetector detector, CameraOptions options, RgbImage[] frames, int cameras, double framesPerSecond,
        TimeSpan duration, CancellationToken cancellation)
    {
        AnomalyMap? map = options.WantsMap ? new AnomalyMap(options.Width, options.Height) : null;
        for (int i = 0; i < WarmUps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            detector.Detect(frames[i % frames.Length].View, map);
        }

        using var pipeline = new InspectionPipeline();
        InspectionCamera[] added =
        [
            .. Enumerable.Range(1, cameras).Select(
                i => pipeline.AddCamera($"camera {i}", detector, options, (in InspectedFrame _) => { })),
        ];
        long start = Stopwatch.GetTimestamp();
        Thread[] threads =
        [
            .. added.Select((camera, i) => new Thread(() => Play(
                camera, frames, start, framesPerSecond, (double)i / cameras, duration, cancellation))),
        ];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        cancellation.ThrowIfCancellationRequested();
        pipeline.Complete();
        return [.. added.Select(camera => camera.ReadStatistics())];
    }

    /// <summary>Pushes each frame when it is due; one that could not be pushed in time counts as captured when it was
    /// due, so that a camera that is held up hides no latency.</summary>
    /// <param name="phase">Of a frame's time, by which the first is later than the start.</param>
    private static void Play(
        InspectionCamera camera, RgbImage[] frames, long start, double framesPerSecond, double phase,
        TimeSpan duration, CancellationToken cancellation)
    {
        double period = Stopwatch.Frequency / framesPerSecond;
        for (long i = 0; ; i++)
        {
            long due = start + (long)((i + phase) * period);
            if (Stopwatch.GetElapsedTime(start, due) >= duration) return;
            CameraTrigger.WaitUntil(due, cancellation);
            if (cancellation.IsCancellationRequested) return;
            camera.Push(frames[(int)(i % frames.Length)].View, due);
        }
    }
}
