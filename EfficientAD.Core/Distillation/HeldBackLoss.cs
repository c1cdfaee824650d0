using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Distillation;

/// <summary>How well the averaged weights do on images that are never trained on: one fixed view of each.</summary>
internal sealed class HeldBackLoss : IDisposable
{
    private readonly IBackend _backend;
    private readonly DistillationSamples _samples;
    private readonly DistillationDraws _draws;
    private readonly WeightAverage _average;
    private readonly PatchDescriptionNetwork _network;
    private readonly Tape _tape;
    private readonly Tensor _input, _target;
    private readonly Variable _loss;
    private readonly List<DistillationBatch> _views = [];

    public HeldBackLoss(
        IBackend backend, DistillationSamples samples, DistillationDraws draws, DistillationState state,
        DistillationOptions options)
    {
        (_backend, _samples, _draws, _average) = (backend, samples, draws, state.Average);
        _network = new PatchDescriptionNetwork(
            backend, options.Size, PatchDescriptionNetwork.TeacherChannels, options.Padded, trainable: false);
        _tape = new Tape(backend);
        (_input, _target) = (_tape.Allocate(samples.Input), _tape.Allocate(samples.Target));
        Variable target = _tape.NormalizeChannels(Variable.Constant(_target), state.Mean, state.Deviation);
        _loss = _tape.MeanSquaredError(target, _network.Forward(_tape, Variable.Constant(_input)));
    }

    /// <summary>Draws the views and gets their targets, once.</summary>
    public void Prepare(IProgress<DistillationProgress>? progress, CancellationToken cancellation)
    {
        foreach (int image in _draws.HeldBack)
        {
            cancellation.ThrowIfCancellationRequested();
            DistillationBatch view = DistillationBatch.Allocate(_samples, 1);
            _samples.Write(image, 0, view.Inputs, view.Targets);
            _views.Add(view);
            progress?.Report(new DistillationProgress(DistillationPhase.HeldBack, _views.Count, _draws.HeldBack.Count));
        }
    }

    /// <summary>Mean squared error per value, in units of the targets' variance.</summary>
    public float Measure()
    {
        _average.CopyTo(_network);
        double sum = 0;
        Span<float> loss = stackalloc float[1];
        foreach (DistillationBatch view in _views)
        {
            _backend.Upload(view.Inputs, _input);
            _backend.Upload(view.Targets, _target);
            _tape.Forward();
            _backend.Download(_loss.Value, loss);
            sum += loss[0];
        }

        return (float)(sum / _views.Count);
    }

    public void Dispose()
    {
        _tape.Dispose();
        _network.Dispose();
    }
}
