using EfficientAD.Autograd;
using EfficientAD.Autograd.Operations;
using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Networks;

/// <summary>The autoencoder (paper, section 3.3, table 7): it predicts the teacher's features from 64 numbers, so that
/// it learns what the whole image looks like. Its input is always 256 x 256.</summary>
public sealed class Autoencoder : Network
{
    /// <summary>Extent of the input in pixels.</summary>
    public const int InputSize = 256;

    /// <summary>Shape of an input of one image.</summary>
    public static Shape Input => new(1, 3, InputSize, InputSize);

    /// <summary>Share of the decoder's values that training drops.</summary>
    public const float DropoutRate = 0.2f;

    private const int EncoderLayers = 6;

    private static readonly int[] DecoderSizes = [3, 8, 15, 32, 63, 127];

    public Autoencoder(IBackend backend, bool trainable) : base(backend, trainable)
    {
        Add("enconv1", 3, 32, 4, stride: 2, padding: 1);
        Add("enconv2", 32, 32, 4, stride: 2, padding: 1);
        Add("enconv3", 32, 64, 4, stride: 2, padding: 1);
        Add("enconv4", 64, 64, 4, stride: 2, padding: 1);
        Add("enconv5", 64, 64, 4, stride: 2, padding: 1);
        Add("enconv6", 64, 64, 8, relu: false);
        for (int i = 1; i <= DecoderSizes.Length; i++) Add($"deconv{i}", 64, 64, 4, padding: 2);
        Add("deconv7", 64, 64, 3, padding: 1);
        Add("deconv8", 64, PatchDescriptionNetwork.TeacherChannels, 3, relu: false, padding: 1);
    }

    /// <summary>Starts from weights that keep the variance of what passes through, and a last layer that says 0, the
    /// mean of normalised features. PyTorch's weights lose an image within the first layers, so that hundreds of steps
    /// go by before the output depends on it.</summary>
    public void InitializeKeepingVariance(CounterRandom random)
    {
        for (int i = 0; i < Layers.Count; i++) Layers[i].InitializeKeepingVariance(Backend, StreamsOf(i, random));
        Backend.Fill(0, Layers[^1].Weights.Value);
    }

    /// <summary>Extent of the output beside patch description networks of a kind: 64 if they are padded, else
    /// 56.</summary>
    public static int OutputSize(bool padded) => padded ? 64 : 56;

    /// <summary>[n, 3, 256, 256] -> [n, 384, height, width]: the output, resized to the patch description networks'
    /// maps.</summary>
    /// <param name="padded">Whether those networks are.</param>
    /// <param name="dropout">Random numbers for the i-th dropout of the current step; null switches dropout
    /// off.</param>
    public Variable Predict(
        Tape tape, Variable input, bool padded, int height, int width, Func<int, CounterRandom>? dropout = null) =>
        tape.ResizeBilinear(Forward(tape, input, OutputSize(padded), dropout), height, width);

    /// <summary>[n, 3, 256, 256] -> [n, 384, size, size].</summary>
    /// <param name="size"><see cref="OutputSize"/>.</param>
    /// <param name="dropout">Random numbers for the i-th dropout of the current step; null switches dropout
    /// off.</param>
    /// <param name="observe">Is shown each layer's output, rectified where the layer is, by the layer's name.</param>
    public Variable Forward(
        Tape tape, Variable input, int size, Func<int, CounterRandom>? dropout = null,
        Action<string, Variable>? observe = null)
    {
        Variable x = input;
        for (int i = 0; i < EncoderLayers; i++) x = Run(i, x);
        for (int i = 0; i < DecoderSizes.Length; i++)
        {
            x = tape.ResizeBilinear(x, DecoderSizes[i], DecoderSizes[i]);
            x = Run(EncoderLayers + i, x);
            int index = i;
            if (dropout is not null) x = tape.Dropout(x, DropoutRate, () => dropout(index));
        }

        x = tape.ResizeBilinear(x, size, size);
        return Run(Layers.Count - 1, Run(Layers.Count - 2, x));

        Variable Run(int layer, Variable from)
        {
            Variable output = Layers[layer].Forward(tape, from);
            observe?.Invoke(Layers[layer].Name, output);
            return output;
        }
    }

    /// <summary>What its input is resized to before a layer, counted over encoder and decoder; null where it is
    /// not.</summary>
    /// <param name="size">Of the output.</param>
    internal static int? SizeBefore(int layer, int size)
    {
        int step = layer - EncoderLayers;
        return step < 0 || step > DecoderSizes.Length ? null : step < DecoderSizes.Length ? DecoderSizes[step] : size;
    }
}
