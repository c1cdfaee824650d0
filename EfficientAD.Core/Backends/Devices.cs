using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using EfficientAD.Backends.Cpu;
using EfficientAD.Native;
using EfficientAD.Native.Driver;
using EfficientAD.Native.Libraries;

namespace EfficientAD.Backends;

/// <summary>The machine's CPU.</summary>
/// <param name="Model">Its name in words.</param>
/// <param name="Cores">Logical cores that this process may use; as many threads compute by default.</param>
/// <param name="InstructionSet">The vector instructions that are used.</param>
public sealed record CpuDescription(string Model, int Cores, InstructionSet InstructionSet);

/// <summary>What this machine has to compute on.</summary>
/// <param name="Cpu">Always usable.</param>
/// <param name="Driver">What the CUDA driver says, if there is one.</param>
/// <param name="Cuda">Its devices, each tried.</param>
/// <param name="Libraries">NVIDIA's libraries; none is needed.</param>
public sealed record Devices(
    CpuDescription Cpu, CudaDevices Driver, IReadOnlyList<CudaCandidate> Cuda, CudaLibraries Libraries)
{
    /// <summary>Looks at the machine, and lets every CUDA device compute something: this takes a moment. Throws nothing
    /// for what is missing.</summary>
    public static Devices Query()
    {
        var options = new CpuOptions();
        var cpu = new CpuDescription(CpuModel(), options.ResolveThreads(), options.ResolveInstructionSet());
        CudaDevices found = CudaDevices.Query();
        CudaCandidate[] cuda = found.Devices.Count == 0
            ? []
            : [.. found.Devices.Select(device => CudaCandidate.Examine(CudaDriver.Load(), device))];
        return new Devices(cpu, found, cuda, CudaLibraries.Query());
    }

    /// <summary>The processor's own brand text on x86, the architecture elsewhere.</summary>
    private static string CpuModel()
    {
        const int firstLeaf = unchecked((int)0x8000_0002), leaves = 3, registerBytes = sizeof(int);
        string architecture = $"{RuntimeInformation.ProcessArchitecture} processor";
        if (!X86Base.IsSupported || X86Base.CpuId(int.MinValue, 0).Eax - int.MinValue < leaves + 1) return architecture;
        Span<byte> text = stackalloc byte[leaves * 4 * registerBytes];
        for (int i = 0; i < leaves; i++)
        {
            var (eax, ebx, ecx, edx) = X86Base.CpuId(firstLeaf + i, 0);
            ReadOnlySpan<int> registers = [eax, ebx, ecx, edx];
            for (int j = 0; j < registers.Length; j++)
                BinaryPrimitives.WriteInt32LittleEndian(text[((i * 4 + j) * registerBytes)..], registers[j]);
        }
        string brand = Encoding.ASCII.GetString(text).Trim('\0', ' ');
        return brand == "" ? architecture : brand;
    }
}
