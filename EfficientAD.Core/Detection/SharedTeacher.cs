using EfficientAD.Autograd;
using EfficientAD.Backends;
using EfficientAD.Backends.Cpu.Fused;
using EfficientAD.Models;
using EfficientAD.Networks;
using EfficientAD.Tensors;

namespace EfficientAD.Detection;

/// <summary>One teacher for the detectors of several products on one backend: its weights, the networks' input, and
/// what it makes of it, once per frame.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class SharedTeacher : IDisposable
{
    private readonly Tape _tape;
    private readonly Shape _input;
    private Recording? _forward;

    public SharedTeacher(IBackend backend, ModelFile model)
    {
        _input = new Shape(1, 3, model.Information.InputHeight, model.Information.InputWidth);
        _tape = new Tape(backend);
        Network = model.LoadTeacher(backend);
    }

    public PatchDescriptionNetwork Network { get; }

    /// <summary>The input of all networks, or of the patch description networks alone where it is not
    /// 256 x 256.</summary>
    public Tensor Image => field ??= _tape.Allocate(_input);

    /// <summary>The autoencoders' input where <see cref="Image"/> has another size.</summary>
    public Tensor AutoencoderImage => field ??= _tape.Allocate(Autoencoder.Input);

    /// <summary>Whether the image at <see cref="Image"/> is grey.</summary>
    public bool[] IsGrey { get; } = new bool[1];

    /// <summary>The hidden layers where plans are fused.</summary>
    public SharedLayersSlot Hidden { get; } = new();

    /// <summary>The features where plans are not fused.</summary>
    public Variable Features
    {
        get
        {
            if (field is not null) return field;
            field = Network.Forward(_tape, Variable.Constant(Image));
            _forward = _tape.Backend.Record(_tape.Forward);
            return field;
        }
    }

    /// <summary>Computes what plans take from it, of the image as it is now.</summary>
    public void Compute()
    {
        Hidden.Layers?.Compute();
        _forward?.Replay();
    }

    public void Dispose()
    {
        Hidden.Layers?.Dispose();
        _forward?.Dispose();
        _tape.Dispose();
        Network.Dispose();
    }
}
