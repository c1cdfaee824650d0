using System.Globalization;
using EfficientAD.Backends.Cpu;
using EfficientAD.Backends.Cuda;
using EfficientAD.Native;

namespace EfficientAD.Backends;

/// <summary>The kind of processor that computes.</summary>
public enum DeviceKind
{
    /// <summary>The first CUDA device that computes rightly, else the CPU.</summary>
    Auto,
    Cpu,
    Cuda,
}

/// <summary>The processor that computes, as the command line's --device names it.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Index">Which CUDA device, from 0; 0 for the other kinds.</param>
public readonly record struct Device(DeviceKind Kind, int Index = 0)
{
    /// <summary>Reads <c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static Device Parse(string text) => TryParse(text, out var device)
        ? device
        : throw new FormatException($"--device {text}: unknown. Use auto, cpu, cuda, or cuda:N with N from 0.");

    public static bool TryParse(string? text, out Device device)
    {
        (device, bool isDevice) = text switch
        {
            "auto" => (new Device(DeviceKind.Auto), true),
            "cpu" => (new Device(DeviceKind.Cpu), true),
            "cuda" => (new Device(DeviceKind.Cuda), true),
            ['c', 'u', 'd', 'a', ':', .. var number]
                when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int index) =>
                (new Device(DeviceKind.Cuda, index), true),
            _ => (default, false),
        };
        return isDevice;
    }

    /// <summary>Opens the processor that this names. A CUDA device must first compute a few small problems as the CPU
    /// does.</summary>
    /// <param name="cpu">Used where it is the CPU.</param>
    /// <param name="cuda">Used where it is a CUDA device.</param>
    /// <exception cref="NotSupportedException">It names a CUDA device that cannot be used; the message says
    /// why.</exception>
    public IBackend Open(CpuOptions? cpu = null, CudaOptions? cuda = null)
    {
        if (Kind == DeviceKind.Cuda) return OpenCuda(cuda);
        int count = Kind == DeviceKind.Auto ? CudaDevices.Query().Devices.Count : 0;
        for (int i = 0; i < count; i++)
        {
            try
            {
                return new Device(DeviceKind.Cuda, i).OpenCuda(cuda);
            }
            catch (NotSupportedException)
            {
                // The next one, then; 'efficientad devices' tells why.
            }
        }
        return new CpuBackend(cpu ?? new CpuOptions());
    }

    /// <summary>The device that <see cref="Open"/> tries, told quickly: a CUDA device that is there and new enough, or
    /// the CPU.</summary>
    /// <exception cref="NotSupportedException">It names a CUDA device that is missing or too old.</exception>
    public Device Resolve() => Kind == DeviceKind.Cpu ? this : Resolve(CudaDevices.Query());

    /// <summary>As <see cref="Resolve()"/>, by what <see cref="Devices.Query"/> found; <see cref="DeviceKind.Auto"/>
    /// then passes over devices that cannot be used.</summary>
    public Device Resolve(Devices devices)
    {
        if (Kind != DeviceKind.Auto) return Resolve(devices.Driver);
        CudaCandidate? first = devices.Cuda.FirstOrDefault(candidate => candidate.Unusable is null);
        return first is null ? new Device(DeviceKind.Cpu) : new Device(DeviceKind.Cuda, first.Device.Index);
    }

    internal Device Resolve(CudaDevices cuda)
    {
        if (Kind == DeviceKind.Cpu) return this;
        if (Kind == DeviceKind.Auto)
        {
            CudaDevice? first = cuda.Devices.FirstOrDefault(device => KernelLibrary.TargetOf(device) is not null);
            return first is null ? new Device(DeviceKind.Cpu) : new Device(DeviceKind.Cuda, first.Index);
        }
        int index = Index;
        if (cuda.Unavailable is { } reason) throw new NotSupportedException($"--device {this}: {reason}");
        CudaDevice named = cuda.Devices.FirstOrDefault(device => device.Index == index)
            ?? throw new NotSupportedException(
                $"--device {this}: the driver has {cuda.Devices.Count} devices, numbered from 0. " +
                "See 'efficientad devices'.");
        KernelLibrary.RequireSupport(named);
        return this;
    }

    private CudaBackend OpenCuda(CudaOptions? options)
    {
        try
        {
            var backend = new CudaBackend(Index, options);
            if (CudaSelfCheck.FindFault(backend, options?.LayerPrecision ?? default) is not { } fault) return backend;
            backend.Dispose();
            throw new NotSupportedException($"--device {this}: {fault}");
        }
        catch (CudaException e)
        {
            throw new NotSupportedException($"--device {this}: {e.Message}", e);
        }
    }

    public override string ToString() => Kind switch
    {
        DeviceKind.Auto => "auto",
        DeviceKind.Cpu => "cpu",
        _ => $"cuda:{Index}",
    };
}
