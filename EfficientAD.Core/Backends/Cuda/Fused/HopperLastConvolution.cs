using EfficientAD.Native;
using EfficientAD.Networks.Folding;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>The last layers of teacher, student and autoencoder and both maps in one launch, by the tensor cores and
/// the copy engine of a Hopper GPU: the squares of the differences, summed over channels. The features never reach
/// global memory.</summary>
/// <remarks>No GPU has run it yet.</remarks>
internal sealed class HopperLastConvolution : ILastConvolution
{
    private const int Outputs = 384;

    private readonly CudaKernel _kernel;
    private readonly DeviceBuffer _localWeights, _globalWeights, _unfoldedWeights, _bias;
    private readonly TensorMap _hiddenMap, _decoderMap, _localMap, _globalMap, _unfoldedMap;
    private readonly int _channels, _studentChannels, _size, _decoderChannels, _decoderSize;
    private (nint Hidden, DecoderMap Decoder, int N, int H, int W) _described;

    /// <param name="local">Teacher less the student's first half, [384, all channels of the hidden map, k, k]; channels
    /// in multiples of 64, k up to 4.</param>
    /// <param name="student">The student's second half, [384, its channels, k, k]; they are the last of the hidden
    /// map.</param>
    /// <param name="decoder">The autoencoder's last layer, [384, channels, 3, 3].</param>
    /// <exception cref="NotSupportedException">The device is of another compute capability than 9.0.</exception>
    public HopperLastConvolution(
        CudaStream stream, KernelLibrary kernels, LayerWeights local, LayerWeights student, LayerWeights decoder)
    {
        if (local.Shape.N != Outputs || local.Shape.H != student.Shape.H || local.Shape.H > HopperKernel.MostTaps)
        {
            throw new ArgumentException(
                $"HopperLastConvolution: {Outputs} outputs are wanted of local {local.Shape} and student " +
                $"{student.Shape}, of one kernel size up to {HopperKernel.MostTaps}.");
        }

        (_channels, _studentChannels, _size) = (local.Shape.C, student.Shape.C, local.Shape.H);
        (_decoderChannels, _decoderSize) = (decoder.Shape.C, decoder.Shape.H);
        CudaContext context = stream.Context;
        (_hiddenMap, _decoderMap) = (new TensorMap(context), new TensorMap(context));
        (_localMap, _globalMap, _unfoldedMap) =
            (new TensorMap(context), new TensorMap(context), new TensorMap(context));
        _kernel = kernels.Get(HopperKernel.File, "fused_last_hopper");
        _localWeights = Upload(stream, _localMap, HopperWeights.Pack((local, 1)));
        _globalWeights = Upload(stream, _globalMap, HopperWeights.Pack((decoder, 1), (student, -1)));
        _unfoldedWeights = Upload(stream, _unfoldedMap, HopperWeights.Pack((decoder.OverColumns(), 1), (student, -1)));
        _bias = DeviceArray.Upload<float>(stream, [.. local.Bias, .. decoder.Bias.Zip(student.Bias, (a, b) => a - b)]);
    }

    /// <summary>Each map comes as so many partial sums over 128 channels, to be added in order.</summary>
    public static int Parts => Outputs / HopperWeights.Rows;

    public int PartialSums => Parts;

    /// <param name="hidden">[n, h, w, channels] half.</param>
    /// <param name="decoder">With a border of one pixel, or unfolded: [n, h - k + 1, w - k + 1, 9 channels].</param>
    /// <param name="local">[<see cref="Parts"/>, n, h - k + 1, w - k + 1] float: divided by 384, their sum is the
    /// map.</param>
    /// <param name="global">Likewise.</param>
    public void Launch(
        CudaStream stream, nint hidden, in DecoderMap decoder, int n, int h, int w, nint local, nint global)
    {
        int height = h - _size + 1, width = w - _size + 1;
        bool isUnfolded = decoder.TapRowPitch != decoder.RowPitch || decoder.TapColumnPitch != decoder.PixelPitch;
        if (_described != (hidden, decoder, n, h, w)) Describe(hidden, decoder, n, h, w, isUnfolded);
        (int channels, int size) = isUnfolded
            ? (_decoderChannels * _decoderSize * _decoderSize, 1) : (_decoderChannels, _decoderSize);
        _kernel.Launch(
            stream, HopperKernel.Shape(n, height, width, 2 * Parts), _hiddenMap, _decoderMap, _localMap,
            isUnfolded ? _unfoldedMap : _globalMap, _bias.Address, local, global,
            _channels - _studentChannels, _studentChannels, _size, channels, size, height, width);
    }

    public void Dispose()
    {
        DeviceBuffer[] buffers = [_localWeights, _globalWeights, _unfoldedWeights, _bias];
        TensorMap[] maps = [_hiddenMap, _decoderMap, _localMap, _globalMap, _unfoldedMap];
        foreach (IDisposable held in (IDisposable[])[.. buffers, .. maps]) held.Dispose();
    }

    private void Describe(nint hidden, in DecoderMap decoder, int n, int h, int w, bool isUnfolded)
    {
        long pixel = _channels;
        HopperKernel.DescribeMap(_hiddenMap, hidden, n, h, w, _channels, _size, (pixel, w * pixel, h * w * pixel));
        int height = h - _size + 1, width = w - _size + 1, border = _decoderSize - 1;
        (long, long, long) pitches = (decoder.PixelPitch, decoder.RowPitch, decoder.SamplePitch);
        if (!isUnfolded)
        {
            HopperKernel.DescribeMap(
                _decoderMap, decoder.Address, n, height + border, width + border, _decoderChannels, _decoderSize,
                pitches);
        }
        else
        {
            int channels = _decoderChannels * _decoderSize * _decoderSize;
            if ((decoder.TapRowPitch, decoder.TapColumnPitch) != (_decoderSize * _decoderChannels, _decoderChannels))
            {
                throw new ArgumentException(
                    $"HopperLastConvolution: a decoder's map of pitches {decoder} is neither bordered nor unfolded " +
                    "by rows, columns and channels of its taps.");
            }

            HopperKernel.DescribeMap(_decoderMap, decoder.Address, n, height, width, channels, 1, pitches);
        }

        _described = (hidden, decoder, n, h, w);
    }

    private static DeviceBuffer Upload(CudaStream stream, TensorMap map, Half[] weights)
    {
        DeviceBuffer buffer = DeviceArray.Upload<Half>(stream, weights);
        HopperKernel.DescribeWeights(map, buffer.Address, Outputs, weights.Length / Outputs);
        return buffer;
    }
}
