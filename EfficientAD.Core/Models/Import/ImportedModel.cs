using EfficientAD.Networks;

namespace EfficientAD.Models.Import;

/// <summary>What an import wrote.</summary>
public enum ImportedKind
{
    /// <summary>A teacher, for training: conv1.weight, ...</summary>
    Teacher,

    /// <summary>A model that judges images.</summary>
    Model,

    /// <summary>All three networks, which <c>efficientad calibrate</c> makes a model of.</summary>
    Uncalibrated,
}

/// <summary>Where a network came from.</summary>
/// <param name="File">The file's path.</param>
/// <param name="Format">The file's format, in words.</param>
/// <param name="Prefix">What stands before the layers' names in the file.</param>
/// <param name="Layout">How the layers are named there, in words.</param>
public sealed record ImportedNetwork(NetworkRole Role, string File, string Format, string Prefix, string Layout);

/// <summary>What an import found and wrote.</summary>
public sealed record ImportedModel
{
    public required ImportedKind Kind { get; init; }

    public required PdnSize Size { get; init; }

    public required bool Padded { get; init; }

    public required IReadOnlyList<ImportedNetwork> Networks { get; init; }

    /// <summary>What a model needs and the files lack, in words; empty for a model and for a teacher.</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>What was assumed, and what differs from the program that trained the networks; sentences.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Of <see cref="ImportedKind.Model"/>; else null.</summary>
    public ModelInformation? Information { get; init; }
}
