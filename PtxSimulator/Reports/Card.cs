namespace PtxSimulator.Reports;

/// <summary>A graphics card by its datasheet: rates without sparsity, at the boost clock.</summary>
/// <param name="Key">Short name for command lines.</param>
/// <param name="ComputeCapability">Times ten.</param>
/// <param name="ClockGigahertz">Boost clock.</param>
/// <param name="Float32Teraflops">Multiply-adds of float32 count twice.</param>
/// <param name="TensorTeraflops">mma of half with float32 accumulators; TF32 runs at half of it, bytes at
/// twice.</param>
/// <param name="MemoryGigabytesPerSecond">Between the card's memory and its L2 cache.</param>
public sealed record Card(
    string Key, string Name, int ComputeCapability, int Multiprocessors, double ClockGigahertz,
    double Float32Teraflops, double TensorTeraflops, double MemoryGigabytesPerSecond)
{
    public static IReadOnlyList<Card> Known { get; } =
    [
        new("h100", "NVIDIA H100 SXM", 90, 132, 1.98, 66.9, 989.4, 3350),
        new("a6000", "NVIDIA RTX A6000", 86, 84, 1.80, 38.7, 154.8, 768),
        new("rtx4090", "NVIDIA GeForce RTX 4090", 89, 128, 2.52, 82.6, 165.2, 1008),
        new("orin", "NVIDIA Jetson AGX Orin 64 GB", 87, 16, 1.30, 5.3, 42.5, 204.8),
    ];

    /// <returns>Null for a name that <see cref="Known"/> does not hold.</returns>
    public static Card? Find(string key) =>
        Known.FirstOrDefault(card => string.Equals(card.Key, key, StringComparison.OrdinalIgnoreCase));
}
