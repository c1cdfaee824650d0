namespace EfficientAD.Networks;

/// <summary>The two patch description networks of the paper.</summary>
public enum PdnSize
{
    /// <summary>EfficientAD-S: four convolutions, 2.7 M parameters.</summary>
    Small,

    /// <summary>EfficientAD-M: six convolutions, twice as wide, 8.0 M parameters.</summary>
    Medium,
}
