using EfficientAD.Backends.Cpu;
using EfficientAD.Networks;

namespace EfficientAD.Benchmarks;

/// <summary>Our training step and PyTorch's, 256 x 256, batch 1, one after the other in turn:
/// <c>Benchmarks paired-step [S|M] [threads] [rounds]</c>.</summary>
internal static class PairedStep
{
    public static void Run(string[] arguments)
    {
        PdnSize size = arguments.Size(0);
        int threads = arguments.Number(1, Environment.ProcessorCount), rounds = arguments.Number(2, 10);
        using var peer = new PyTorchStep(size, threads);
        using var backend = new CpuBackend(new CpuOptions { Threads = threads });
        using var training = new RandomTraining(backend, size);
        for (int i = 0; i < StepProfile.WarmUpSteps; i++) training.Step();
        Turns.Print(
            $"step of {size}, threads: {threads}", rounds, ("PyTorch", peer.Run), ("ours", () => training.Step()));
    }
}
