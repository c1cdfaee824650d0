namespace EfficientAD.Backends.Cuda;

/// <summary>How a <see cref="CudaBackend"/> uses its device.</summary>
public sealed record CudaOptions
{
    /// <summary>How exactly convolutions are computed.</summary>
    public CudaPrecision Precision { get; init; }

    /// <summary>How exactly layers are computed one by one.</summary>
    internal CudaPrecision LayerPrecision =>
        Precision is CudaPrecision.Int8 or CudaPrecision.Fp8 ? CudaPrecision.Full : Precision;

    /// <summary>Whether recorded work (<see cref="IBackend.Record"/>) becomes a graph that one call of the driver
    /// starts, in place of one call for each kernel.</summary>
    public bool UseGraphs { get; init; } = true;

    /// <summary>Whether cuDNN, where it is installed, computes those convolutions at which it is faster than our
    /// kernels. Each shape is measured once per card, driver and version, and remembered in the user's cache folder;
    /// before that, or where the folder is emptied, last bits may differ from one process to the next. Not measured on
    /// a device yet, and therefore off.</summary>
    public bool UseLibraries { get; init; }

    /// <summary>Whether the fused plan's tiles are those that were fastest when tried: each size once per card, driver
    /// and kernels, remembered in the user's cache folder. Else a model of the device chooses. Results have the same
    /// bits either way. Not tried on a device yet, and therefore off.</summary>
    public bool TuneTiles { get; init; }

    /// <summary>Whether detection may use the fused plan without having compared it with the CPU: for who does that
    /// himself.</summary>
    internal bool IsTrusted { get; init; }
}
