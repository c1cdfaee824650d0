using EfficientAD.Native;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>The decoder's last hidden map: what the autoencoder's last 3 x 3 convolution reads for output (y, x), tap (ty, tx)
/// and channel c lies at n SamplePitch + y RowPitch + x PixelPitch + ty TapRowPitch + tx TapColumnPitch + c.</summary>
/// <param name="Address">Of half-precision values. All pitches count values and are multiples of 8.</param>
internal readonly record struct DecoderMap(
    nint Address, int SamplePitch, int RowPitch, int PixelPitch, int TapRowPitch, int TapColumnPitch);

/// <summary>The last layers of teacher, student and autoencoder and both maps in one launch: the squares of the differences,
/// summed over channels. The features never reach global memory.</summary>
internal sealed class LastConvolution : ILastConvolution
{
    /// <summary>Each map comes as so many partial sums over 64 channels, to be added in order.</summary>
    public const int Parts = Outputs / PartChannels;

    private const int Outputs = 384, PartChannels = 64, Chunk = 8, Maps = 2;
    private const string File = "fused_last";

    private readonly TiledKernel _kernel;
    private readonly DeviceBuffer _localWeights, _globalWeights, _localBias, _globalBias;
    private readonly int _channels, _student, _size, _decoderChannels;

    /// <param name="local">Teacher less the student's first half, [384, all channels of the hidden map, k, k].</param>
    /// <param name="student">The student's second half, [384, its channels, k, k]; they are the last of the hidden
    /// map.</param>
    /// <param name="decoder">The autoencoder's last layer, [384, channels, 3, 3].</param>
    public LastConvolution(
        CudaStream stream, KernelLibrary kernels, LayerWeights local, LayerWeights student, LayerWeights decoder)
    {
        if (local.Shape.N != Outputs || local.Shape.H != student.Shape.H || decoder.Shape.H != 3)
        {
            throw new ArgumentException(
                $"LastConvolution: {Outputs} outputs are wanted of local {local.Shape}, student {student.Shape}, of one " +
                $"kernel size, and decoder {decoder.Shape}, of 3 x 3.");
        }

        (_channels, _size, _decoderChannels) = (local.Shape.C, local.Shape.H, decoder.Shape.C);
        _student = _channels - student.Shape.C;
        _kernel = new TiledKernel(stream, kernels, File, "fused_last_");
        _localWeights = DeviceArray.Upload<Half>(stream, StageWeights.Pack((local, 1)));
        _globalWeights = DeviceArray.Upload<Half>(stream, StageWeights.Pack((student, -1), (decoder, 1)));
        _localBias = DeviceArray.Upload<float>(stream, local.Bias);
        _globalBias = DeviceArray.Upload<float>(stream, [.. decoder.Bias.Zip(student.Bias, (a, b) => a - b)]);
    }

    public int PartialSums => Parts;

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
            _localWeights.Address, _globalWeights.Address, _localBias.Address, _globalBias.Address, local, global,
            n, h, w, _channels, _student, _size, Outputs);
    }

    public void Dispose()
    {
        _localWeights.Dispose();
        _globalWeights.Dispose();
        _localBias.Dispose();
        _globalBias.Dispose();
    }
}
