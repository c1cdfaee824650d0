namespace EfficientAD.Backends.Cuda.Fused;

/// <summary>Which fusions a <see cref="FusedDetection"/> makes; each can be switched off to see what it saves. What
/// they are: docs/fusion.md.</summary>
internal sealed record FusionOptions
{
    /// <summary>The first layers of teacher and student with ReLU and pool in one launch.</summary>
    public bool First { get; init; } = true;

    /// <summary>A hidden layer of both networks in one launch.</summary>
    public bool Groups { get; init; } = true;

    /// <summary>The second layer pools what it computes; only with <see cref="Groups"/>.</summary>
    public bool Pool { get; init; } = true;

    /// <summary>The last layers compute differences and square them; features stay in registers.</summary>
    public bool Difference { get; init; } = true;

    /// <summary>The autoencoder's layers two and four to a launch, resizes inside the convolutions.</summary>
    public bool Autoencoder { get; init; } = true;

    /// <summary>Frames become both networks' inputs in one launch.</summary>
    public bool Preprocess { get; init; } = true;

    /// <summary>From the last layers' sums to maps and scores in one launch; switched off for the orders whose score is
    /// that of the image's map, and then without a graph, whose launches would keep the scaling of their
    /// capture.</summary>
    public bool Verdict { get; init; } = true;

    /// <summary>The autoencoder runs beside teacher and student, on a branch of its own.</summary>
    public bool Branches { get; init; } = true;

    /// <summary>On compute capability 9.0, where the layers are fused, they are computed by wgmma and the copy engine.
    /// No GPU has run that yet, and therefore off.</summary>
    public bool Hopper { get; init; }

    /// <summary>One call of the driver starts all launches.</summary>
    public bool Graph { get; init; } = true;
}
