using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Networks;

/// <summary>The patch description network (paper, section 3.1, tables 5 and 6): teacher and student alike. Every output
/// describes a patch of 33 x 33 pixels; outputs are 4 pixels apart.</summary>
public sealed class PatchDescriptionNetwork : Network
{
    /// <summary>Channels of the teacher; a student has twice as many.</summary>
    public const int TeacherChannels = 384;

    /// <summary>Extent of the patch that an output sees, and the smallest input, in pixels.</summary>
    public const int ReceptiveField = 33;

    private const int PaddingOf4x4 = 3, PaddingOf3x3 = 1, PaddingOfPool = 1;

    /// <summary>So many hidden layers are followed by a pool.</summary>
    internal const int PooledLayers = 2;

    private readonly Variable[] _weightHalves, _biasHalves;

    /// <param name="outputs">384 for a teacher, 768 for a student.</param>
    /// <param name="padded">The padded variant: an input of 256 gives 64 x 64 instead of 56 x 56 outputs.</param>
    /// <param name="trainable">Whether the parameters get gradients.</param>
    public PatchDescriptionNetwork(IBackend backend, PdnSize size, int outputs, bool padded, bool trainable)
        : base(backend, trainable)
    {
        (Size, Outputs, Padded) = (size, outputs, padded);
        if (size == PdnSize.Small)
        {
            Add("conv1", 3, 128, 4);
            Add("conv2", 128, 256, 4);
            Add("conv3", 256, 256, 3);
            Add("conv4", 256, outputs, 4, relu: false);
        }
        else
        {
            Add("conv1", 3, 256, 4);
            Add("conv2", 256, 512, 4);
            Add("conv3", 512, 512, 1);
            Add("conv4", 512, 512, 3);
            Add("conv5", 512, outputs, 4);
            Add("conv6", outputs, outputs, 1, relu: false);
        }

        int half = outputs / 2;
        _weightHalves = [Layers[^1].Weights.Samples(0, half), Layers[^1].Weights.Samples(half, half)];
        _biasHalves = [Half(Layers[^1].Bias, 0, half), Half(Layers[^1].Bias, half, half)];
    }

    public PdnSize Size { get; }

    public int Outputs { get; }

    public bool Padded { get; }

    /// <summary>Extent of the output for an extent of the input in pixels.</summary>
    public static int OutputSize(int input, bool padded)
    {
        int pad4x4 = padded ? 2 * PaddingOf4x4 : 0, padPool = padded ? 2 * PaddingOfPool : 0;
        int first = (input + pad4x4 - 3 + padPool) / 2;
        int second = (first + pad4x4 - 3 + padPool) / 2;
        return second + (padded ? 2 * PaddingOf3x3 : 0) - 2 - 3;
    }

    /// <summary>[n, 3, h, w] -> [n, outputs, oh, ow].</summary>
    public Variable Forward(Tape tape, Variable input) => Forward(tape, input, null);

    /// <summary>The same.</summary>
    /// <param name="observe">Is shown each layer's output, rectified where the layer is, by the layer's name.</param>
    public Variable Forward(Tape tape, Variable input, Action<string, Variable>? observe)
    {
        ConvolutionLayer last = Layers[^1];
        StackHead head = Head(0, input.Value.Shape.N, last.Weights, last.Bias);
        if (observe is null && TryStack(tape, input, head) is [{ } features]) return features;
        Variable output = last.Forward(tape, Hidden(tape, input, observe));
        observe?.Invoke(last.Name, output);
        return output;
    }

    /// <summary>Everything but the last layer.</summary>
    public Variable Hidden(Tape tape, Variable input) => Hidden(tape, input, null);

    private Variable Hidden(Tape tape, Variable input, Action<string, Variable>? observe)
    {
        RequirePatch(input);
        if (observe is null && TryStack(tape, input) is [{ } hidden]) return hidden;
        Variable x = input;
        for (int i = 0; i < Layers.Count - 1; i++)
        {
            x = Layers[i].Forward(tape, x, PaddingOf(i));
            observe?.Invoke(Layers[i].Name, x);
            if (i < PooledLayers) x = tape.AveragePool2d(x, Pad(PaddingOfPool));
        }

        return x;
    }

    /// <summary>What the hidden layers hand to their rectifiers, layer by layer; without gradients.</summary>
    internal IEnumerable<Variable> HiddenValues(Tape tape, Variable input)
    {
        Variable x = input;
        for (int i = 0; i < Layers.Count - 1; i++)
        {
            yield return Convolve(relu: false);
            x = Convolve(relu: true);
            if (i < PooledLayers) x = tape.AveragePool2d(x, Pad(PaddingOfPool));

            Variable Convolve(bool relu) => tape.Convolution2d(
                x, Variable.Constant(Layers[i].Weights.Value), Variable.Constant(Layers[i].Bias.Value),
                Layers[i].Geometry with { Padding = PaddingOf(i) }, relu);
        }
    }

    /// <summary>A student's passes over parts of a batch, each through the half of the last layer that it
    /// needs.</summary>
    /// <param name="input">[n, 3, h, w].</param>
    /// <param name="passes">Which samples, that no other pass has, and which half: 0 imitates the teacher, 1 the
    /// autoencoder.</param>
    /// <returns>[count, 384, oh, ow] of each pass.</returns>
    internal Variable[] Halves(Tape tape, Variable input, params (int First, int Count, int Half)[] passes)
    {
        StackHead[] heads =
            [.. passes.Select(pass => Head(pass.First, pass.Count, _weightHalves[pass.Half], _biasHalves[pass.Half]))];
        if (TryStack(tape, input, heads) is { } features) return features;
        Variable hidden = Hidden(tape, input);
        return [.. passes.Select(pass => LastHalf(tape, hidden.Samples(pass.First, pass.Count), pass.Half))];
    }

    private static StackHead Head(int first, int count, Variable weights, Variable bias) =>
        new(first, count, weights.Value, bias.Value, weights.Gradient, bias.Gradient);

    /// <summary>The hidden layers as one operation, perhaps with what follows them; null where there is no such
    /// thing.</summary>
    private Variable[]? TryStack(Tape tape, Variable input, params StackHead[] heads)
    {
        RequirePatch(input);
        return Padded || input.NeedsGradient ? null : tape.Stack(input, HiddenLayers(), heads);
    }

    private static void RequirePatch(Variable input)
    {
        if (input.Value.Shape.H < ReceptiveField || input.Value.Shape.W < ReceptiveField)
        {
            throw new ArgumentException(
                $"The network sees patches of {ReceptiveField} pixels; {input.Value.Shape} is smaller.", nameof(input));
        }
    }

    private StackedLayer[] HiddenLayers() =>
    [
        .. Layers.Take(Layers.Count - 1).Select((layer, i) => new StackedLayer(
            layer.Weights.Value, layer.Bias.Value, layer.Weights.Gradient, layer.Bias.Gradient,
            IsPooled: i < PooledLayers)),
    ];

    /// <summary>Takes over the hidden layers of a teacher of the same size. The last one of a student of size M is
    /// wider: its first channels become the teacher's, the others stay as they are.</summary>
    public void CopyHiddenLayersFrom(PatchDescriptionNetwork source)
    {
        foreach ((ConvolutionLayer from, ConvolutionLayer to) in source.Layers.Zip(Layers).Take(Layers.Count - 1))
        {
            int outputs = from.Weights.Value.Shape.N;
            Backend.Copy(from.Weights.Value, to.Weights.Value.Samples(0, outputs));
            Backend.Copy(from.Bias.Value, Half(to.Bias.Value, 0, outputs));
        }
    }

    /// <summary>The half of a student's last layer that imitates the teacher: all that some passes need.</summary>
    public Variable TeacherHalf(Tape tape, Variable hidden) => LastHalf(tape, hidden, 0);

    /// <summary>The half of a student's last layer that imitates the autoencoder.</summary>
    public Variable AutoencoderHalf(Tape tape, Variable hidden) => LastHalf(tape, hidden, 1);

    private Variable LastHalf(Tape tape, Variable hidden, int half) =>
        tape.Convolution2d(hidden, _weightHalves[half], _biasHalves[half], Convolution2dGeometry.Valid, relu: false);

    /// <summary>Of a hidden layer, by its kernel; 1x1 needs none.</summary>
    internal int PaddingOf(int layer) => Layers[layer].Weights.Value.Shape.H switch
    {
        4 when layer < PooledLayers => Pad(PaddingOf4x4),
        3 => Pad(PaddingOf3x3),
        _ => 0,
    };

    private int Pad(int padding) => Padded ? padding : 0;

    private static Variable Half(Parameter bias, int first, int count) =>
        new(Half(bias.Value, first, count), bias.Gradient is null ? null : Half(bias.Gradient, first, count));

    private static Tensor Half(Tensor vector, int first, int count) =>
        vector.Reshape(new Shape(vector.Shape.C, 1, 1, 1)).Samples(first, count).Reshape(Shape.Vector(count));
}
