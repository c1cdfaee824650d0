using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Backends.Cuda.Training;
using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Distillation;

/// <summary>Steps of a distillation on a CUDA device: batches are sent from pinned memory, a step is one graph, and
/// each loss is told once, a few steps late.</summary>
/// <remarks>The running average of the weights follows the graph as launches of its own: its share changes from step to
/// step.</remarks>
internal sealed class DistillationGraph : IDisposable
{
    private const int StagedBatches = 2;

    private readonly CudaStream _stream;
    private readonly Tensor _input, _target;
    private readonly StepGraph _graph;
    private readonly PinnedRing _inputs, _targets;
    private int _first, _told;  // the first step's number from 1; steps whose loss was told

    /// <param name="work">Forward, backward and Adam.</param>
    public DistillationGraph(CudaBackend backend, Tensor input, Tensor target, Tensor loss, Action work)
    {
        (_stream, _input, _target) = (backend.Stream, input, target);
        _graph = new StepGraph(backend, [loss], extraBytes: 0, work);
        _inputs = new PinnedRing(_stream.Context, StagedBatches, input.Shape.Count * sizeof(float));
        _targets = new PinnedRing(_stream.Context, StagedBatches, target.Shape.Count * sizeof(float));
    }

    /// <param name="settings">Of this step; the weight decay must be that of all steps.</param>
    /// <param name="step">1 for the first.</param>
    public void Run(DistillationBatch batch, AdamSettings settings, int step)
    {
        if (_graph.Steps == 0) _first = step;
        Send(batch.Inputs, _inputs, _input);
        Send(batch.Targets, _targets, _target);
        _graph.Send(streams: 0, settings, step, extra: []);
        _graph.Run();
    }

    /// <summary>Tells the next loss that was not told yet.</summary>
    /// <param name="waits">Whether to wait for losses that would come later; else only for those of the first steps and
    /// of steps that lie <see cref="StepGraph.Delay"/> back.</param>
    public bool TryTakeLoss(bool waits, out int step, out float loss)
    {
        (step, loss) = (_first + _told, float.NaN);
        int due = waits || _graph.Steps <= StepGraph.Delay ? _graph.Steps : _graph.Steps - StepGraph.Delay;
        if (_told >= due) return false;
        loss = _graph.LossesOf(_told++)[0];
        return true;
    }

    public void Dispose()
    {
        _graph.Dispose();
        _inputs.Dispose();
        _targets.Dispose();
    }

    private void Send(float[] values, PinnedRing staging, Tensor destination)
    {
        PinnedBuffer staged = staging.Next();
        values.CopyTo(staged.AsSpan<float>());
        _stream.Upload(staged, destination.Address);
        staging.Retire(_stream);
    }
}
