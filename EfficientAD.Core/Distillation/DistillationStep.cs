using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Distillation;

/// <summary>One optimiser step of a distillation, with fixed shapes and buffers, recorded once; on a CUDA device one
/// graph (<see cref="DistillationGraph"/>), whose losses come a few steps late.</summary>
internal sealed class DistillationStep : IDisposable
{
    private readonly IBackend _backend;
    private readonly DistillationState _state;
    private readonly float _weightDecay;
    private readonly Tape _tape;
    private readonly Tensor _input, _target;
    private readonly Variable _loss;
    private readonly AdamTensors[] _parameters;
    private readonly DistillationGraph? _graph;
    private float _lastLoss = float.NaN;

    /// <param name="input">Of one sample, [1, 3, h, w].</param>
    /// <param name="target">Of one sample, [1, 384, h, w].</param>
    public DistillationStep(
        IBackend backend, DistillationState state, Shape input, Shape target, int batchSize, float weightDecay)
    {
        (_backend, _state, _weightDecay) = (backend, state, weightDecay);
        _parameters = [.. state.Network.Parameters.Select(parameter => parameter.ForAdam)];
        _tape = new Tape(backend);
        _input = _tape.Allocate(input with { N = batchSize });
        _target = _tape.Allocate(target with { N = batchSize });
        Variable normalized = _tape.NormalizeChannels(Variable.Constant(_target), state.Mean, state.Deviation);
        _loss = _tape.MeanSquaredError(normalized, state.Network.Forward(_tape, Variable.Constant(_input)));
        if (backend is CudaBackend cuda)
        {
            _graph = new DistillationGraph(cuda, _input, _target, _loss.Value, () =>
            {
                _tape.Forward();
                _tape.Backward(_loss);
                Update(new AdamSettings(WeightDecay: weightDecay), step: 1);  // the rest the graph has of each step
            });
        }
    }

    /// <summary>Forward, backward, Adam, and the running average.</summary>
    /// <returns>The loss before the update, in units of the targets' variance; on a CUDA device, which works on while
    /// the host goes on, that of a few steps before.</returns>
    /// <exception cref="TrainingDivergedException">The loss is not finite. On the CPU nothing was changed; on a CUDA
    /// device steps behind it were taken.</exception>
    public float Run(DistillationBatch batch, float learningRate)
    {
        var settings = new AdamSettings(learningRate, _weightDecay);
        if (_graph is not null)
        {
            _graph.Run(batch, settings, ++_state.Step);
            _state.Average.Add(_state.Step);
            while (_graph.TryTakeLoss(waits: false, out int step, out float late)) Count(step, late);
            return _lastLoss;
        }

        _backend.Upload(batch.Inputs, _input);
        _backend.Upload(batch.Targets, _target);
        _tape.Forward();
        Span<float> loss = stackalloc float[1];
        _backend.Download(_loss.Value, loss);
        Count(_state.Step + 1, loss[0]);
        _tape.Backward(_loss);
        Update(settings, ++_state.Step);
        _state.Average.Add(_state.Step);
        return _lastLoss;
    }

    /// <summary>Waits for the losses that are under way: before the state is saved or looked at.</summary>
    /// <exception cref="TrainingDivergedException">One of them is not finite.</exception>
    public void Settle()
    {
        while (_graph is not null && _graph.TryTakeLoss(waits: true, out int step, out float late)) Count(step, late);
    }

    public void Dispose()
    {
        _graph?.Dispose();
        _tape.Dispose();
    }

    private void Update(AdamSettings settings, int step) => _backend.Adam(_parameters, settings, step);

    private void Count(int step, float loss)
    {
        if (!float.IsFinite(loss))
        {
            throw new TrainingDivergedException(
                $"The loss of step {step} is {loss}. Checkpoints are untouched. " +
                "Start anew with a smaller learning rate.");
        }

        _state.AddLoss(loss);
        _lastLoss = loss;
    }
}
