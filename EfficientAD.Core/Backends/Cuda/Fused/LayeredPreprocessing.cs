using EfficientAD.Imaging;
using EfficientAD.Native;
using EfficientAD.Tensors;

namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>From frames to the networks' inputs as the backend preprocesses: two passes of the resize into normalised
/// planes, which a third launch turns into pixels; for each frame and each input.</summary>
internal sealed class LayeredPreprocessing : FrameSource
{
    private const int LaunchesOfInput = 3;

    private readonly CudaBackend _backend;
    private readonly HalfLayers _layers;
    private readonly HalfImage[] _inputs;
    private readonly Tensor[] _planes;

    public LayeredPreprocessing(CudaBackend backend, params ReadOnlySpan<HalfImage> inputs)
    {
        (_backend, _layers, _inputs) = (backend, new HalfLayers(backend.Kernels), inputs.ToArray());
        _planes = [.. _inputs.Select(input => backend.Allocate(new Shape(1, 3, input.Height, input.Width)))];
    }

    public override int Launches(int samples) => LaunchesOfInput * samples * _inputs.Length;

    public override void Launch(CudaStream stream, in DeviceImage first, long frameBytes, int samples)
    {
        for (int sample = 0; sample < samples; sample++)
        {
            DeviceImage frame = first with { Address = first.Address + (nint)(sample * frameBytes) };
            for (int i = 0; i < _inputs.Length; i++)
            {
                HalfImage input = _inputs[i];
                _backend.PreprocessDevice(frame, ColourAdjustment.None, input.Height, input.Width, _planes[i]);
                _layers.Image(stream, _planes[i], input.Of(sample));
            }
        }
    }

    public override void Dispose()
    {
        foreach (Tensor planes in _planes) planes.Dispose();
    }
}
