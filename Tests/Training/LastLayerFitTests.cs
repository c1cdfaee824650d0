using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Tensors;
using EfficientAD.Training;

namespace EfficientAD.Tests.Training;

/// <summary>A last layer with known weights answers on random maps; the fit sees maps and answers alone. Convolution is the
/// witness of what patches and weights mean.</summary>
public sealed class LastLayerFitTests : IDisposable
{
    private const int Images = 12, PerImage = 60, Channels = 3, Kernel = 2, Outputs = 2;
    private static readonly Shape Hidden = new(1, Channels, 9, 8), Weights = new(Outputs, Channels, Kernel, Kernel), Answers = new(1, Outputs, 8, 7);

    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 1 });
    private readonly Tensor _weights, _bias;

    public LastLayerFitTests() => (_weights, _bias) = (Random(Weights, 1), Random(Shape.Vector(Outputs), 2));

    [Fact]
    public void WithoutCosts_TheLayerIsFound()
    {
        (PatchSample sample, float[] answers) = Sample(100);
        (float[] weights, float[] bias) = Solve(sample, answers, null, new StudentFit(Ridge: 1e-9, Penalty: 0));
        TensorAssert.Close(Values(_weights), weights, absolute: 1e-4f, because: "answers and moments are rounded to floats");
        TensorAssert.Close(Values(_bias), bias, absolute: 1e-4f, because: "answers and moments are rounded to floats");
    }

    [Fact]
    public void Ridge_ShrinksTheWeightsTowardsTheMeanAnswer()
    {
        (PatchSample sample, float[] answers) = Sample(100);
        (float[] weights, float[] bias) = Solve(sample, answers, null, new StudentFit(Ridge: 1e6, Penalty: 0));
        Assert.All(weights, weight => Assert.Equal(0, weight, 1e-4f));
        for (int o = 0; o < Outputs; o++)
            Assert.Equal(answers.AsSpan(o * sample.Count, sample.Count).ToArray().Average(), bias[o], 1e-3f);
    }

    [Fact]
    public void Penalty_SilencesWhatOnlyPenaltyImagesShow()
    {
        // Good maps hold almost nothing in their last channel; penalty maps hold it alone.
        (PatchSample sample, float[] answers) = Sample(100, (channel, value) => channel == 2 ? 0.01f * value : value);
        (PatchSample penalty, _) = Sample(200, (channel, value) => channel == 2 ? value : 0);
        (float[] free, _) = Solve(sample, answers, penalty, new StudentFit(Ridge: 1e-9, Penalty: 0));
        (float[] punished, _) = Solve(sample, answers, penalty, new StudentFit(Ridge: 1e-9, Penalty: 1));
        int last = 2 * Kernel * Kernel, patch = Channels * Kernel * Kernel;
        for (int o = 0; o < Outputs; o++)
        {
            for (int i = last; i < patch; i++) Assert.InRange(MathF.Abs(punished[o * patch + i]), 0, 0.02f);
            Assert.Contains(free[(o * patch + last)..((o + 1) * patch)], weight => MathF.Abs(weight) > 0.1f);
        }
    }

    [Fact]
    public void ChannelThatNeverVaries_GetsNoWeight()
    {
        (PatchSample sample, float[] answers) = Sample(100, (channel, value) => channel == 1 ? 0 : value);
        (float[] weights, _) = Solve(sample, answers, null, new StudentFit(Ridge: 1e-9, Penalty: 0));
        for (int i = 0; i < Kernel * Kernel; i++) Assert.Equal(0, weights[Kernel * Kernel + i]);
        Assert.NotEqual(0, weights[0]);
    }

    [Fact]
    public void BlankImages_AreRefused()
    {
        (PatchSample sample, _) = Sample(100, (_, _) => 1);
        Assert.Throws<InvalidOperationException>(() => new LastLayerFit(_backend, sample, null));
    }

    public void Dispose()
    {
        _weights.Dispose();
        _bias.Dispose();
        _backend.Dispose();
    }

    private (PatchSample Sample, float[] Answers) Sample(ulong stream, Func<int, float, float>? change = null)
    {
        var sample = new PatchSample(Hidden, Kernel, Images, PerImage, image => new CounterRandom(3, stream + (ulong)image));
        var answers = new float[Outputs * sample.Count];
        for (int i = 0; i < Images; i++)
        {
            using Tensor hidden = Random(Hidden, 1000 * stream + (ulong)i), output = _backend.Allocate(Answers);
            float[] values = Values(hidden);
            if (change is not null)
                for (int v = 0; v < values.Length; v++) values[v] = change(v / Hidden.Plane, values[v]);
            _backend.Upload(values, hidden);
            _backend.Convolution2d(hidden, _weights, _bias, Convolution2dGeometry.Valid, relu: false, output);
            sample.Add(i, _backend, hidden);
            sample.AddAnswers(i, _backend, output, answers);
        }

        return (sample, answers);
    }

    private (float[] Weights, float[] Bias) Solve(PatchSample sample, float[] answers, PatchSample? penalty, StudentFit fit)
    {
        using Tensor weights = _backend.Allocate(Weights), bias = _backend.Allocate(Shape.Vector(Outputs));
        new LastLayerFit(_backend, sample, penalty).Solve(answers, fit, weights, bias);
        return (Values(weights), Values(bias));
    }

    private Tensor Random(Shape shape, ulong stream)
    {
        var random = new CounterRandom(5, stream);
        Tensor tensor = _backend.Allocate(shape);
        _backend.Upload([.. Enumerable.Range(0, (int)shape.Count).Select(i => random.Uniform((ulong)i, -1, 1))], tensor);
        return tensor;
    }

    private float[] Values(Tensor tensor)
    {
        var values = new float[tensor.Shape.Count];
        _backend.Download(tensor, values);
        return values;
    }
}
