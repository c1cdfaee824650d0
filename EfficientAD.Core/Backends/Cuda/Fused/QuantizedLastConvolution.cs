using EfficientAD.Native;
using EfficientAD.Networks.Folding;
using EfficientAD.Networks.Quantization;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>The last layers and both maps in one launch, as <see cref="LastConvolution"/>, from a hidden map in numbers of 8 bits;
/// the decoder's map stays in half precision.</summary>
internal sealed class QuantizedLastConvolution : ILastConvolution
{
    private const int Outputs = 384, Chunk = 8, Maps = 2;

    private readonly TiledKernel _kernel;
    private readonly DeviceBuffer[] _weights;  // local, global, decoder; scales of local and global
    private readonly int _channels, _student, _size, _decoderChannels;

    /// <param name="local">Teacher less the student's first half, [384, all channels of the hidden map, k, k].</param>
    /// <param name="student">The student's second half, [384, its channels, k, k]; they are the last of the hidden
    /// map.</param>
    /// <param name="decoder">The autoencoder's last layer, [384, channels, 3, 3].</param>
    public QuantizedLastConvolution(
        CudaStream stream, KernelLibrary kernels, QuantizedLayer local, QuantizedLayer student, LayerWeights decoder)
    {
        if (local.Shape.N != Outputs || student.Shape.N != Outputs || local.Shape.H != student.Shape.H || decoder.Shape.H != 3)
        {
            throw new ArgumentException(
                $"QuantizedLastConvolution: {Outputs} outputs are wanted of local {local.Shape}, student {student.Shape}, of one " +
                $"kernel size, and decoder {decoder.Shape}, of 3 x 3.");
        }

        (_channels, _size, _decoderChannels) = (local.Shape.C, local.Shape.H, decoder.Shape.C);
        _student = _channels - student.Shape.C;
        string name = TiledKernel.NameOf("fused_last", local.Format);
        _kernel = new TiledKernel(stream, kernels, name, $"{name}_");
        _weights =
        [
            DeviceArray.Upload<byte>(stream, StageWeights.Pack(local)), DeviceArray.Upload<byte>(stream, StageWeights.Pack(student)),
            DeviceArray.Upload<Half>(stream, StageWeights.Pack((decoder, 1))), DeviceArray.Upload<float>(stream, local.Scales()),
            DeviceArray.Upload<float>(stream, Difference(decoder, student)),
        ];
    }

    public int PartialSums => LastConvolution.Parts;

    public void Launch(
        CudaStream stream, nint hidden, in DecoderMap decoder, int n, int h, int w, nint local, nint global) =>
        Launch(stream, hidden, decoder, n, h, w, local, global, tile: null);

    /// <param name="tile">Null for the one that suits the device.</param>
    public void Launch(
        CudaStream stream, nint hidden, in DecoderMap decoder, int n, int h, int w, nint local, nint global, FusedTile? tile)
    {
        TiledKernel.RequireReach(n, h, w, _channels);
        _kernel.Launch(
            stream, n * (h - _size + 1) * (w - _size + 1), Maps * (Outputs / FusedTile.Channels), _channels * _size * _size, tile,
            hidden, decoder.Address, decoder.SamplePitch / Chunk, decoder.RowPitch / Chunk, decoder.PixelPitch / Chunk,
            decoder.TapRowPitch / Chunk, decoder.TapColumnPitch / Chunk, _decoderChannels,
            _weights[0].Address, _weights[1].Address, _weights[2].Address, _weights[3].Address, _weights[4].Address, local, global,
            n, h, w, _channels, _student, _size, Outputs);
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
