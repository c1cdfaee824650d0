using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Training;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace EfficientAD.Distillation;

/// <summary>Starts units of the hidden layers anew: all of them before the first step, later those that have stopped
/// firing (after Sokar et al., "The Dormant Neuron Phenomenon in Deep Reinforcement Learning", ICML 2023).</summary>
/// <remarks>
/// A rectified unit that a large step has pushed below zero everywhere gets no gradient ever again. At the learning
/// rates of short runs nine tenths of a layer can be lost so, silently. A new unit gets random weights, scaled and
/// shifted so that over some views its value before the rectifier has mean 0 and variance 1: it fires at about half of
/// all places. Nothing listens to it at first, so the network computes what it did.
/// </remarks>
internal sealed class DormantUnits : IDisposable
{
    /// <summary>Steps from one search to the next.</summary>
    public const int Interval = 250;

    private const int Views = 16;

    // Of all places of all views. A unit that fires less often learns next to nothing.
    private const double LeastRate = 1e-3;

    private readonly IBackend _backend;
    private readonly DistillationSamples _samples;
    private readonly DistillationDraws _draws;
    private readonly DistillationState _state;
    private readonly Tape _tape;
    private readonly Tensor _input;
    private readonly Variable[] _values;
    private readonly List<float[]> _views = [];

    public DormantUnits(IBackend backend, DistillationSamples samples, DistillationDraws draws, DistillationState state)
    {
        (_backend, _samples, _draws, _state) = (backend, samples, draws, state);
        _tape = new Tape(backend);
        _input = _tape.Allocate(samples.Input);
        _values = [.. state.Network.HiddenValues(_tape, Variable.Constant(_input))];
    }

    /// <summary>Starts every unit anew: the first weights of a run.</summary>
    public void RenewAll()
    {
        for (int layer = 0; layer < _values.Length; layer++)
            Renew(layer, [.. Enumerable.Range(0, _values[layer].Value.Shape.C)]);
    }

    /// <summary>Starts those units anew that hardly ever fire.</summary>
    /// <returns>How many.</returns>
    public int Revive()
    {
        int revived = 0;
        for (int layer = 0; layer < _values.Length; layer++)
        {
            int[] dormant = Dormant(layer);
            if (dormant.Length > 0) Renew(layer, dormant);
            revived += dormant.Length;
        }

        return revived;
    }

    public void Dispose() => _tape.Dispose();

    private int[] Dormant(int layer)
    {
        Shape shape = _values[layer].Value.Shape;
        var values = new float[shape.Count];
        var fired = new long[shape.C];
        LookAt(layer, map =>
        {
            _backend.Download(map, values);
            for (int c = 0; c < shape.C; c++)
                foreach (float value in values.AsSpan(c * shape.Plane, shape.Plane)) fired[c] += value > 0 ? 1 : 0;
        });
        double least = LeastRate * Views * shape.Plane;
        return [.. Enumerable.Range(0, shape.C).Where(c => fired[c] < least)];
    }

    private void Renew(int layer, int[] units)
    {
        IReadOnlyList<ConvolutionLayer> layers = _state.Network.Layers;
        int inputs = (int)layers[layer].Weights.Value.Shape.SampleCount;
        CounterRandom random = _draws.Units(_state.Step, layer);
        float bound = 1 / MathF.Sqrt(inputs);
        var statistics = new ChannelStatistics(_values[layer].Value.Shape.C);

        Write(
            layers[layer].Weights.Value, units, inputs,
            (row, i) => random.Uniform((ulong)(row * inputs + i), -bound, bound));
        Write(layers[layer].Bias.Value, units, 1, (_, _) => 0);
        LookAt(layer, map => statistics.Add(_backend, map));
        (float[] mean, float[] deviation) = (statistics.Mean(), statistics.Deviation());
        float[] drawn = _backend.Download(layers[layer].Weights.Value);
        Change(layers[layer].Weights, units, inputs, (row, i) => drawn[row * inputs + i] / deviation[row]);
        Change(layers[layer].Bias, units, 1, (row, _) => -mean[row] / deviation[row]);

        // Column u of the next layer's weights [co, ci, k, k] starts at u k k of each row.
        Shape next = layers[layer + 1].Weights.Value.Shape;
        int[] columns = [.. Enumerable.Range(0, next.N).SelectMany(row => units.Select(unit => row * next.C + unit))];
        Change(layers[layer + 1].Weights, columns, next.Plane, (_, _) => 0);
    }

    /// <summary>Gives blocks of a parameter and of its average their new values. Adam forgets their direction, and
    /// takes the mean of all for their mean square: with none, their first steps together would be large enough to
    /// upset the network.</summary>
    private void Change(Parameter parameter, int[] blocks, int size, Func<int, int, float> value)
    {
        Write(parameter.Value, blocks, size, value);
        Write(_state.Average.Of(parameter), blocks, size, value);
        Write(parameter.FirstMoment!, blocks, size, (_, _) => 0);
        float square = TensorPrimitives.Average<float>(_backend.Download(parameter.SecondMoment!));
        Write(parameter.SecondMoment!, blocks, size, (_, _) => square);
    }

    private void Write(Tensor tensor, int[] blocks, int size, Func<int, int, float> value)
    {
        float[] values = _backend.Download(tensor);
        foreach (int block in blocks)
            for (int i = 0; i < size; i++) values[block * size + i] = value(block, i);
        _backend.Upload(values, tensor);
    }

    /// <summary>Shows a layer's values before the rectifier, view after view.</summary>
    private void LookAt(int layer, Action<Tensor> look)
    {
        if (_views.Count == 0) DrawViews();
        foreach (float[] view in _views)
        {
            _backend.Upload(view, _input);
            _tape.Forward();
            look(_values[layer].Value);
        }
    }

    private void DrawViews()
    {
        DistillationBatch view = DistillationBatch.Allocate(_samples, 1);
        for (int i = 0; i < Views; i++)
        {
            (int image, int number) = _draws.Sample(i);
            _samples.Write(image, number, view.Inputs, view.Targets);
            _views.Add([.. view.Inputs]);
        }
    }
}
