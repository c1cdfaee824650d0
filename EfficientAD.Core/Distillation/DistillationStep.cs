using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Distillation;

/// <summary>One optimiser step of a distillation, with fixed shapes and buffers, recorded once.</summary>
internal sealed class DistillationStep : IDisposable
{
    private readonly IBackend _backend;
    private readonly DistillationState _state;
    private readonly float _weightDecay;
    private readonly Tape _tape;
    private readonly Tensor _input, _target;
    private readonly Variable _loss;
    private readonly AdamTensors[] _parameters;

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
    }

    /// <summary>Forward, backward, Adam, and the running average.</summary>
    /// <returns>The loss before the update, in units of the targets' variance.</returns>
    /// <exception cref="TrainingDivergedException">The loss is not finite; nothing was changed.</exception>
    public float Run(DistillationBatch batch, float learningRate)
    {
        _backend.Upload(batch.Inputs, _input);
        _backend.Upload(batch.Targets, _target);
        _tape.Forward();
        Span<float> loss = stackalloc float[1];
        _backend.Download(_loss.Value, loss);
        if (!float.IsFinite(loss[0]))
        {
            throw new TrainingDivergedException(
                $"The loss of step {_state.Step + 1} is {loss[0]} at a learning rate of {learningRate}. " +
                "Checkpoints are untouched. Start anew with a smaller learning rate.");
        }

        _tape.Backward(_loss);
        int step = ++_state.Step;
        _backend.Adam(_parameters, new AdamSettings(learningRate, _weightDecay), step);

        _state.Average.Add(step);
        _state.AddLoss(loss[0]);
        return loss[0];
    }

    public void Dispose() => _tape.Dispose();
}
