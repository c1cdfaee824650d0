using EfficientAD.Backends;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Backends;

/// <summary>Shapes of one convolution, and its data: inputs in +-1, weights in +-1 / sqrt(fan-in).</summary>
/// <param name="Density">Share of the output gradient that is not zero.</param>
public sealed record ConvolutionCase(
    int N, int Ci, int H, int W, int Co, int Kh, int Kw,
    int Stride = 1, int Padding = 0, bool Relu = false, double Density = 1)
{
    public static ConvolutionCase[] All { get; } =
    [
        new(1, 1, 1, 1, 1, 1, 1),                                       // smallest
        new(2, 3, 9, 7, 5, 3, 3, Padding: 1, Relu: true),               // nothing divides anything
        new(2, 5, 6, 9, 7, 4, 4, Padding: 3),                           // the padded PDN's first padding
        new(1, 3, 7, 11, 6, 3, 5, Relu: true),                          // a kernel that is not square
        new(1, 3, 10, 14, 6, 4, 4, Stride: 2, Padding: 1, Relu: true),  // the encoder
        new(1, 3, 9, 11, 6, 4, 4, Stride: 2, Padding: 1),               // a row and a column left over
        new(1, 2, 4, 4, 3, 4, 4, Stride: 2, Padding: 3),                // more padding than image
        new(1, 2, 6, 10, 3, 2, 2, Stride: 3),                           // pixels that no kernel reaches
        new(1, 64, 8, 8, 64, 8, 8),                                     // the bottleneck: one pixel
        new(3, 96, 7, 5, 100, 1, 1, Relu: true),                        // 1 x 1
        new(1, 48, 9, 9, 65, 4, 4, Padding: 2, Relu: true),             // the decoder
        new(1, 40, 12, 13, 72, 3, 3, Padding: 1),
        new(1, 3, 41, 40, 33, 4, 4, Relu: true),                        // the first layer: few channels, many pixels
        new(1, 64, 15, 18, 48, 4, 4, Relu: true),                       // the middle of the PDN
        new(2, 24, 11, 13, 40, 4, 4, Density: 0.004),                   // the hard loss's gradient
        new(1, 16, 13, 13, 24, 4, 4, Stride: 2, Padding: 1, Density: 0.01),
        new(1, 2, 5, 5, 3, 3, 3, Padding: 1, Density: 0),               // a gradient that vanishes
    ];

    internal Shape InputShape => new(N, Ci, H, W);

    internal Shape WeightShape => new(Co, Ci, Kh, Kw);

    internal Convolution2dGeometry Geometry => new(Stride, Padding);

    internal Shape OutputShape => PlainConvolution2d.OutputShape(InputShape, WeightShape, Geometry);

    internal int FanIn => Ci * Kh * Kw;

    internal double WeightScale => 1 / Math.Sqrt(FanIn);

    private const ulong Seed = 42;

    internal HostTensor Input => HostTensor.Random(InputShape, Seed, 0);

    internal HostTensor Weights => HostTensor.Random(WeightShape, Seed, 1, WeightScale);

    internal HostTensor Bias => HostTensor.Random(Shape.Vector(Co), Seed, 2);

    internal HostTensor OutputGradient
    {
        get
        {
            HostTensor gradient = HostTensor.Random(OutputShape, Seed, 3);
            HostTensor keep = HostTensor.Random(OutputShape, Seed, 4);
            for (int i = 0; i < gradient.Values.Length; i++)
                if ((keep.Values[i] + 1) / 2 >= Density) gradient.Values[i] = 0;
            return gradient;
        }
    }
}
