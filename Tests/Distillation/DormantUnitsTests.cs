using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu;
using EfficientAD.Distillation;
using EfficientAD.Networks;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;
using EfficientAD.Training;

namespace EfficientAD.Tests.Distillation;

public sealed class DormantUnitsTests : IDisposable
{
    private const int Dead = 100;

    private readonly TemporaryFolder _folder = new();
    private readonly CpuBackend _backend = new(new CpuOptions { Threads = 2 });
    private readonly DistillationSamples _samples;
    private readonly DistillationState _state;
    private readonly DormantUnits _units;
    private readonly float[] _view;

    public DormantUnitsTests()
    {
        var options = new DistillationOptions
        {
            TeacherPath = "",
            CacheFolder = _folder.Path,
            ViewSize = 48,
            ViewsPerImage = 2,
            HeldBack = 2,
        };
        // The view that is looked at is a busy one: in a plain picture units are silent that are not dead.
        var images = new ImageSet(10, i => NaturalTexture.Render(4, i, 96), budget: 1 << 24);
        var draws = new DistillationDraws(options.Seed, images.Count, options.HeldBack, options.ViewsPerImage);
        _samples = new DistillationSamples(new FakeBackbone(), images, draws, options);
        _state = new DistillationState(_backend, options);
        _state.Start(draws.Weights, null);
        _units = new DormantUnits(_backend, _samples, draws, _state);
        _view = new float[_samples.Input.Count];
        _samples.Write(0, 0, _view, new float[_samples.Target.Count]);
    }

    public void Dispose()
    {
        _units.Dispose();
        _state.Dispose();
        _samples.Dispose();
        _backend.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void NewUnits_FireAtAboutHalfOfAllPlaces()
    {
        _units.RenewAll();
        foreach (float[] rates in FiringRates())
        {
            Assert.InRange(rates.Average(), 0.3f, 0.7f);
            // On one view; they were scaled over 16.
            Assert.InRange(rates.Count(rate => rate == 0), 0, rates.Length / 10);
        }

        Assert.Equal(0, _units.Revive());
    }

    [Fact]
    public void UnitsThatNeverFire_StartAnew_AndTheNetworkComputesWhatItDid()
    {
        _units.RenewAll();
        Kill(_state.Network.Layers[1].Bias);
        float[] before = Output();
        Assert.Equal(Dead, FiringRates()[1].Count(rate => rate == 0));

        Assert.Equal(Dead, _units.Revive());
        Assert.InRange(FiringRates()[1].Count(rate => rate == 0), 0, Dead / 10);
        TensorAssert.Close(
            before, Output(), absolute: 1e-5f,
            because: "nothing listens to a new unit, but sums are taken in another order");
    }

    [Fact]
    public void Adam_KnowsNoDirectionOfNewUnits_ButAStepOfTheUsualLength()
    {
        _units.RenewAll();
        ConvolutionLayer layer = _state.Network.Layers[1];
        Kill(layer.Bias);
        _backend.Fill(1, layer.Weights.FirstMoment!);
        _backend.Fill(4, layer.Weights.SecondMoment!);
        _units.Revive();

        int each = (int)layer.Weights.Value.Shape.SampleCount;
        float[] first = _backend.Download(layer.Weights.FirstMoment!);
        Assert.All(first[..(Dead * each)], moment => Assert.Equal(0, moment));
        Assert.All(first[(Dead * each)..], moment => Assert.Equal(1, moment));
        Assert.All(_backend.Download(layer.Weights.SecondMoment!), moment => Assert.Equal(4, moment));
    }

    /// <summary>As a too large step does.</summary>
    private void Kill(Parameter bias)
    {
        float[] values = _backend.Download(bias.Value);
        values.AsSpan(0, Dead).Fill(-1e6f);
        _backend.Upload(values, bias.Value);
    }

    private float[] Output()
    {
        using var tape = new Tape(_backend);
        return _backend.Download(_state.Network.Forward(tape, Input(tape)).Value);
    }

    /// <summary>Per hidden layer and unit the share of places at which it fires.</summary>
    private List<float[]> FiringRates()
    {
        var rates = new List<float[]>();
        using var tape = new Tape(_backend);
        foreach (Variable values in _state.Network.HiddenValues(tape, Input(tape)))
        {
            float[] map = _backend.Download(values.Value);
            int plane = values.Value.Shape.Plane;
            rates.Add([.. map.Chunk(plane).Select(unit => unit.Count(value => value > 0) / (float)plane)]);
        }

        return rates;
    }

    private Variable Input(Tape tape)
    {
        Tensor input = tape.Allocate(_samples.Input);
        _backend.Upload(_view, input);
        return Variable.Constant(input);
    }
}
