using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>What fused kernels keep to themselves, as launches between maps: half_layers.cu.</summary>
internal sealed class HalfLayers(KernelLibrary kernels)
{
    private const string File = "half_layers";
    private const int Threads = 256, Chunk = 8, Warp = 32;

    private readonly CudaKernel _widen = kernels.Get(File, "half_widen");
    private readonly CudaKernel _pool = kernels.Get(File, "half_pool");
    private readonly CudaKernel _resize = kernels.Get(File, "half_resize");
    private readonly CudaKernel _squares = kernels.Get(File, "half_squares");
    private readonly CudaKernel _sums = kernels.Get(File, "half_sums");
    private readonly CudaKernel _image = kernels.Get(File, "half_image");

    /// <summary>The bytes behind normalised planes, over 256, as the image of one sample.</summary>
    public void Image(CudaStream stream, Tensor planes, HalfImage image) => _image.Launch(
        stream, Each((long)image.Height * image.Pitch), planes.Address, image.Height, image.Width, image.Pitch,
        image.Address);

    /// <summary>An image of four channels becomes a map of eight, the last four zero.</summary>
    public void Widen(CudaStream stream, HalfImage image, int samples, nint output) => _widen.Launch(
        stream, Each((long)samples * image.Height * image.Width), image.Address, samples * image.Height, image.Pitch,
        image.Width, output);

    /// <summary>Means of 2 x 2 pixels of all channels.</summary>
    public void Pool(CudaStream stream, HalfMap input, int samples, nint output) => _pool.Launch(
        stream, Each((long)samples * (input.Height / 2) * (input.Width / 2) * (input.Pitch / Chunk)), input.Address,
        samples, input.Height, input.Width, input.Pitch, output);

    /// <summary>Bilinear, to part of a map: <paramref name="rowPitch"/> pixels from row to row.</summary>
    public void Resize(
        CudaStream stream, HalfMap input, int samples, int side, nint output, int rowPitch, int samplePitch) =>
        _resize.Launch(
            stream, Each((long)samples * side * side * (input.Pitch / Chunk)), input.Address, samples, input.Height,
            input.Width, input.Pitch, side, side, rowPitch, samplePitch, output);

    /// <summary>Per pixel the sum over channels of the squared difference.</summary>
    public void Squares(CudaStream stream, HalfMap a, HalfMap b, int samples, int channels, nint sums)
    {
        int pixels = samples * a.Height * a.Width;
        _squares.Launch(
            stream, Each((long)pixels * Warp), a.Address, a.Pitch, b.Address, b.Pitch, pixels, channels, sums);
    }

    /// <summary>Adds the partial sums of a map of <paramref name="count"/> values.</summary>
    public void Add(CudaStream stream, nint sums, int parts, int count, int channels, nint map) =>
        _sums.Launch(stream, Each(count), sums, parts, count, channels, map);

    private static LaunchShape Each(long count) =>
        new(new Extent(checked((int)((count + Threads - 1) / Threads))), new Extent(Threads));
}
