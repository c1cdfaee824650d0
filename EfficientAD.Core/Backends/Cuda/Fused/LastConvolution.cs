using EfficientAD.Native;
using EfficientAD.Networks.Folding;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>The decoder's last hidden map: what the autoencoder's last 3 x 3 convolution reads for output (y, x), tap
/// (ty, tx) and channel c lies at n SamplePitch + y RowPitch + x PixelPitch + ty TapRowPitch + tx TapColumnPitch +
/// c.</summary>
/// <param name="Address">Of half-precision values. All pitches count values and are multiples of 8.</param>
internal readonly record struct DecoderMap(
    nint Address, int SamplePitch, int RowPitch, int PixelPitch, int TapRowPitch, int TapColumnPitch);

/// <summary>The last layers of teacher, student and autoencoder and both maps in one launch: the squares of the
/// differences, summed over channels. The features never reach global memory.</summary>
internal sealed class LastConvolution : ILastConvolution
{
    /// <summary>Each map comes as so many partial sums over 64 channels, to be added in order.</summary>
    public const int Parts = Outputs / PartChannels;

    private const int Outputs = 384, PartChannels = 64, Chunk = 8, Maps = 2;
    private const string File = "fused_last";

    private readonly TiledKernel _kernel;
    private readonly DeviceBuffer[] _weights;
    private readonly KernelArgument[] _addresses;  // of the weights
    private readonly int _channels, _student, _size, _decoderChannels;

    /// <summary>From a hidden map of halves.</summary>
    /// <param name="local">Teacher less the student's first half, [384, all channels of the hidden map, k, k].</param>
    /// <param name="student">The student's second half, [384, its channels, k, k]; they are the last of the hidden
    /// map.</param>
    /// <param name="decoder">The autoencoder's last layer, [384, channels, 3, 3].</param>
    public LastConvolution(
        CudaStream stream, KernelLibrary kernels, LayerWeights local, LayerWeights student, LayerWeights decoder)
        : this(stream, kernels, local.Shape, student.Shape, decoder.Shape, format: null, () =>
        [
            DeviceArray.Upload<Half>(stream, StageWeights.Pack((local, 1))),
            DeviceArray.Upload<Half>(stream, StageWeights.Pack((student, -1), (decoder, 1))),
            DeviceArray.Upload<float>(stream, local.Bias),
            DeviceArray.Upload<float>(stream, [.. decoder.Bias.Zip(student.Bias, (a, b) => a - b)]),
        ])
    {
    }

    /// <summary>From a hidden map in numbers of 8 bits; the decoder's map stays in half precision.</summary>
    /// <param name="local">Teacher less the student's first half, [384, all channels of the hidden map, k, k].</param>
    /// <param name="student">The student's second half, [384, its channels, k, k]; they are the last of the hidden
    /// map.</param>
    /// <param name="decoder">The autoencoder's last layer, [384, channels, 3, 3].</param>
    public LastConvolution(
        CudaStream stream, KernelLibrary kernels, QuantizedLayer local, QuantizedLayer student, LayerWeights decoder)
        : this(stream, kernels, local.Shape, student.Shape, decoder.Shape, local.Format, () =>
        [
            DeviceArray.Upload<byte>(stream, StageWeights.Pack(local)),
            DeviceArray.Upload<byte>(stream, StageWeights.Pack(student)),
            DeviceArray.Upload<Half>(stream, StageWeights.Pack((decoder, 1))),
            DeviceArray.Upload<float>(stream, local.Scales()),
            DeviceArray.Upload<float>(stream, Difference(decoder, student)),
        ])
    {
    }

    /// <param name="upload">Weights, then biases or scales, in the order of the kernel's parameters.</param>
    private LastConvolution(
        CudaStream stream, KernelLibrary kernels, Shape local, Shape student, Shape decoder, EightBits? format,
        Func<DeviceBuffer[]> upload)
    {
        if (local.N != Outputs || student.N != Outputs || local.H != student.H || decoder.H != 3)
        {
            throw new ArgumentException(
                $"LastConvolution: {Outputs} outputs are wanted of local {local}, student {student}, of one kernel " +
                $"size, and decoder {decoder}, of 3 x 3.");
        }

        (_channels, _student, _size, _decoderChannels) = (local.C, local.C - student.C, local.H, decoder.C);
        string name = TiledKernel.NameOf(File, format);
        _kernel = new TiledKernel(stream, kernels, name, $"{name}_");
        _weights = upload();
        _addresses = Array.ConvertAll(_weights, part => (KernelArgument)part.Address);
    }

    public int PartialSums => Parts;

    public void Launch(
        CudaStream stream, nint hidden, in DecoderMap decoder, int n, int h, int w, nint local, nint global) =>
        Launch(stream, hidden, decoder, n, h, w, local, global, tile: null);

    /// <param name="tile">Null for the one that suits the device.</param>
    public void Launch(
        CudaStream stream, nint hidden, in DecoderMap decoder, int n, int h, int w, nint local, nint global,
        FusedTile? tile)
    {
        TiledKernel.RequireReach(n, h, w, _channels);
        ReadOnlySpan<KernelArgument> inputs =
        [
            hidden, decoder.Address, decoder.SamplePitch / Chunk, decoder.RowPitch / Chunk, decoder.PixelPitch / Chunk,
            decoder.TapRowPitch / Chunk, decoder.TapColumnPitch / Chunk, _decoderChannels,
        ];
        ReadOnlySpan<KernelArgument> rest = [local, global, n, h, w, _channels, _student, _size, Outputs];
        // Joined here: a collection expression of unknown length would allocate at every launch.
        Span<KernelArgument> arguments = stackalloc KernelArgument[inputs.Length + _addresses.Length + rest.Length];
        inputs.CopyTo(arguments);
        _addresses.CopyTo(arguments[inputs.Length..]);
        rest.CopyTo(arguments[^rest.Length..]);
        int pixels = n * (h - _size + 1) * (w - _size + 1), products = _channels * _size * _size;
        _kernel.Launch(stream, pixels, Maps * (Outputs / FusedTile.Channels), products, tile, arguments);
    }

    public void Dispose()
    {
        foreach (DeviceBuffer part in _weights) part.Dispose();
    }

    /// <summary>Scales of what the decoder's products are added to: the student's less, and both biases.</summary>
    private static float[] Difference(LayerWeights decoder, QuantizedLayer student)
    {
        float[] scales = student.Scales();
        for (int row = 0; row < Outputs; row++)
            (scales[2 * row], scales[2 * row + 1]) = (-scales[2 * row], decoder.Bias[row] - scales[2 * row + 1]);
        return scales;
    }
}
