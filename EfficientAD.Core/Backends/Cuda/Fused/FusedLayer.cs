using EfficientAD.Native;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>A hidden layer of teacher and student in one launch, by whichever instructions.</summary>
internal interface IHiddenConvolution : IDisposable
{
    /// <param name="input">[n, h, w, channels of both], half or of 8 bits, the teacher's first.</param>
    /// <param name="output">[n, h - k + 1, w - k + 1, channels of both], both extents halved where it pools.</param>
    void Launch(CudaStream stream, nint input, int n, int h, int w, nint output);
}

/// <summary>The last layers of teacher, student and autoencoder and both maps in one launch, by whichever
/// instructions.</summary>
internal interface ILastConvolution : IDisposable
{
    /// <summary>Partial sums that each map comes as, to be added in order.</summary>
    int PartialSums { get; }

    /// <param name="hidden">[n, h, w, channels], half or of 8 bits.</param>
    /// <param name="local">[<see cref="PartialSums"/>, n, h - k + 1, w - k + 1] float: divided by 384, their sum is the
    /// map.</param>
    /// <param name="global">Likewise.</param>
    void Launch(CudaStream stream, nint hidden, in DecoderMap decoder, int n, int h, int w, nint local, nint global);
}
