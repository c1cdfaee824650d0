using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Networks.Folding;
using EfficientAD.Networks.Quantization;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>The first layer of teacher and student in one launch: 4 x 4 convolution of the image, bias, ReLU and 2 x 2
/// average pool.</summary>
internal sealed class FirstConvolution : IDisposable
{
    // As fused_first.cu has them.
    private const string File = "fused_first";
    private const int Kernel = 4, Channels = 4, WindowsAcross = 32, WindowsDown = 4, BlockChannels = 256, Threads = 128;

    private readonly CudaKernel _kernel;
    private readonly DeviceBuffer _weights;
    private readonly int _outputs;

    /// <param name="weights">Of <see cref="LayerWeights.ForBytes"/> without a border, the teacher's rows first: [co, 4,
    /// 4, 4], co a multiple of 256.</param>
    /// <param name="format">Of the output, whose steps are in the weights already; null for halves.</param>
    public FirstConvolution(CudaStream stream, KernelLibrary kernels, LayerWeights weights, EightBits? format = null)
    {
        if (weights.Shape.N % BlockChannels != 0 || weights.Shape.C != Channels || weights.Shape.H != Kernel)
        {
            throw new ArgumentException(
                $"FirstConvolution: weights {weights.Shape}; [co, {Channels}, {Kernel}, {Kernel}] are wanted, co a " +
                $"multiple of {BlockChannels}.");
        }

        _outputs = weights.Shape.N;
        string name = TiledKernel.NameOf(File, format);
        _kernel = kernels.Get(name, name);
        _weights = DeviceArray.Upload<Half>(stream, Pack(weights));
    }

    /// <param name="image">[n, h, w rounded up to even, 4] half: bytes over 256, and 1.</param>
    /// <param name="output">[n, (h - 3) / 2, (w - 3) / 2, co], half or of 8 bits.</param>
    public void Launch(CudaStream stream, nint image, int n, int h, int w, nint output)
    {
        int outputHeight = (h - Kernel + 1) / 2, outputWidth = (w - Kernel + 1) / 2;
        TiledKernel.RequireReach(n, outputHeight, outputWidth, _outputs);
        var grid = new Extent(
            ConvolutionProduct.CeilingOf(outputWidth, WindowsAcross),
            ConvolutionProduct.CeilingOf(outputHeight, WindowsDown), n * (_outputs / BlockChannels));
        _kernel.Launch(
            stream, new LaunchShape(grid, new Extent(Threads)), image, _weights.Address, output, h, w, _outputs);
    }

    public void Dispose() => _weights.Dispose();

    /// <summary>As mma's fragments want them: [64 channels][16 of them][ky][lane][4][2], a quarter of each for the
    /// pool.</summary>
    private static Half[] Pack(LayerWeights weights)
    {
        const int warpChannels = 64, tiles = 4, warp = 32;
        Half[] rounded = Rounded(weights);
        var packed = new Half[rounded.Length];
        int to = 0;
        for (int first = 0; first < weights.Shape.N; first += warpChannels)
        {
            for (int tile = 0; tile < tiles; tile++)
            {
                for (int ky = 0; ky < Kernel; ky++)
                {
                    for (int lane = 0; lane < warp; lane++)
                    {
                        for (int part = 0; part < 8; part++)
                        {
                            // Words: row g, row g + 8 for channels 0 and 1 of pixel t, then the same for 2 and 3.
                            int row = first + lane / 4 * 8 + tile * 2 + part / 2 % 2;
                            int channel = part / 4 * 2 + part % 2, kx = lane % 4;
                            packed[to++] = rounded[((row * Channels + channel) * Kernel + ky) * Kernel + kx];
                        }
                    }
                }
            }
        }

        return packed;
    }

    /// <summary>A quarter of the weights in half precision, the fourth channel with a quarter of the bias in two parts:
    /// what half precision holds of it, and the rest.</summary>
    /// <remarks>Rounding a weight shifts the output by its error times the pixel. The bias takes back what that is for
    /// the mean pixel, so that what remains is the error times the distance from the mean.</remarks>
    private static Half[] Rounded(LayerWeights weights)
    {
        const float quarter = 0.25f;
        const int taps = Kernel * Kernel, each = Channels * taps, ones = (Channels - 1) * taps;
        Half[] rounded = Array.ConvertAll(weights.Weights, weight => (Half)(quarter * weight));
        for (int row = 0; row < weights.Shape.N; row++)
        {
            double bias = quarter * (double)weights.Bias[row];
            for (int i = 0; i < ones; i++)
            {
                double error = (double)rounded[row * each + i] - quarter * (double)weights.Weights[row * each + i];
                bias -= error * Preprocessing.Mean[i / taps] * (255 / 256.0);
            }

            Half high = (Half)bias;
            rounded[row * each + ones] = high;
            rounded[row * each + ones + 1] = (Half)(bias - (double)high);
        }

        return rounded;
    }
}
