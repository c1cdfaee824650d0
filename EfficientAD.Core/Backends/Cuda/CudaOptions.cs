namespace EfficientAD.Backends.Cuda;

/// <summary>How a <see cref="CudaBackend"/> uses its device.</summary>
public sealed record CudaOptions
{
    /// <summary>How exactly convolutions are computed.</summary>
    public CudaPrecision Precision { get; init; }

    /// <summary>Whether recorded work (<see cref="IBackend.Record"/>) becomes a graph that one call of the driver starts, in
    /// place of one call for each kernel.</summary>
    public bool UseGraphs { get; init; } = true;
}
