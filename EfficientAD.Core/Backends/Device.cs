using System.Globalization;

namespace EfficientAD.Backends;

/// <summary>The kind of processor that computes.</summary>
public enum DeviceKind
{
    /// <summary>The fastest there is.</summary>
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

    /// <summary>The device that computes where this one is asked for.</summary>
    /// <exception cref="NotSupportedException">It is a CUDA device.</exception>
    public Device Resolve() => Kind == DeviceKind.Cuda
        ? throw new NotSupportedException(
            $"--device {this}: this version computes on the CPU only. Use --device cpu or auto.")
        : new Device(DeviceKind.Cpu);

    public override string ToString() => Kind switch
    {
        DeviceKind.Auto => "auto",
        DeviceKind.Cpu => "cpu",
        _ => $"cuda:{Index}",
    };
}
