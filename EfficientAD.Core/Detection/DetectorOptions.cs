using EfficientAD.Backends;
using EfficientAD.Backends.Cuda;

namespace EfficientAD.Detection;

/// <summary>How an <see cref="AnomalyDetector"/> computes and what it accepts.</summary>
public sealed record DetectorOptions
{
    /// <summary>The processor that computes.</summary>
    public Device Device { get; init; }

    /// <summary>Threads that compute where the CPU does; 0 means one per core.</summary>
    public int Threads { get; init; }

    /// <summary>How it computes. <see cref="DetectionMode.Fast"/> and <see cref="DetectionMode.Precise"/> differ from
    /// <see cref="DetectionMode.Plain"/> by rounding alone; on a CUDA device <see cref="DetectionMode.Fast"/> rounds to
    /// half precision, or to numbers of 8 bits where <see cref="CudaOptions.Precision"/> says so.</summary>
    public DetectionMode Mode { get; init; } = DetectionMode.Fast;

    /// <summary>Images that pass through the networks together where several are given at once, unless the mode is
    /// plain; on a CUDA device 64 at most, of one size and format. Each takes up to 50 MB more. Results do not depend
    /// on it.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Side in pixels of the tiles that an input larger than that is computed in, one image at a time: memory
    /// is then that of a tile, and the result the same up to rounding. 0 computes every input whole. Unpadded
    /// networks.</summary>
    public int Tile { get; init; }

    /// <summary>Used where a CUDA device computes.</summary>
    public CudaOptions Cuda { get; init; } = new();

    /// <summary>Accepts frames of another size than the training images; else such a frame is invalid, because a camera
    /// that changes its format usually means a fault. Models trained on images of mixed sizes accept any
    /// size.</summary>
    public bool AcceptAnySize { get; init; }
}
