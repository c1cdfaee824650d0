namespace EfficientAD.Distillation;

/// <summary>One step's samples on the host.</summary>
/// <param name="Inputs">[n, 3, size, size].</param>
/// <param name="Targets">[n, 384, h, w].</param>
internal sealed record DistillationBatch(float[] Inputs, float[] Targets)
{
    public static DistillationBatch Allocate(DistillationSamples samples, int count) =>
        new(new float[count * samples.Input.Count], new float[count * samples.Target.Count]);
}

/// <summary>Makes the next step's batch, backbone included, on another thread while the current one is trained
/// on.</summary>
internal sealed class BatchPrefetch(DistillationSamples samples, DistillationDraws draws, int batchSize) : IDisposable
{
    private readonly DistillationBatch[] _buffers =
        [DistillationBatch.Allocate(samples, batchSize), DistillationBatch.Allocate(samples, batchSize)];
    private Task? _next;
    private int _nextStep;

    /// <summary>The batch of a step, valid until the next call.</summary>
    public DistillationBatch Take(int step)
    {
        if (_next is null || _nextStep != step) Start(step);
        _next!.GetAwaiter().GetResult();
        DistillationBatch batch = _buffers[step & 1];
        Start(step + 1);
        return batch;
    }

    /// <summary>Waits for the thread; whatever it made is dropped.</summary>
    public void Dispose() => ((IAsyncResult?)_next)?.AsyncWaitHandle.WaitOne();

    private void Start(int step)
    {
        Dispose();
        _nextStep = step;
        _next = Task.Run(() => Fill(step, _buffers[step & 1]));
    }

    private void Fill(int step, DistillationBatch batch)
    {
        int input = (int)samples.Input.Count, target = (int)samples.Target.Count;
        for (int i = 0; i < batchSize; i++)
        {
            (int image, int view) = draws.Sample((long)step * batchSize + i);
            samples.Write(image, view, batch.Inputs.AsSpan(i * input, input), batch.Targets.AsSpan(i * target, target));
        }
    }
}
