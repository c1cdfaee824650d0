using System.ComponentModel;
using System.Globalization;
using EfficientAD.Backends;
using EfficientAD.Cli.Output;
using EfficientAD.Native;
using Spectre.Console.Cli;

namespace EfficientAD.Cli.Commands;

internal sealed class DevicesSettings : VerbositySettings
{
    [CommandOption("--json")]
    [Description("Write JSON for programs instead of text.")]
    public bool Json { get; init; }
}

internal sealed class DevicesCommand(CommandOutput output) : Command<DevicesSettings>
{
    private const string NotYet = "This version computes on the CPU only.";

    public override int Execute(CommandContext context, DevicesSettings settings, CancellationToken cancellation)
    {
        Devices devices = Devices.Query();
        if (settings.Json) WriteJson(devices);
        else WriteText(devices);
        return ExitCode.Success;
    }

    private void WriteText(Devices devices)
    {
        var facts = new FactTable();
        CpuDescription cpu = devices.Cpu;
        facts.Add("cpu",
            $"{cpu.Model}: {cpu.Cores} logical cores, {cpu.InstructionSet} instructions; " +
            $"{cpu.Cores} threads unless --threads says otherwise");
        foreach (CudaDevice device in devices.Cuda.Devices)
        {
            facts.Add($"cuda:{device.Index}", string.Create(CultureInfo.InvariantCulture,
                $"{device.Name}, compute capability {device.ComputeCapability}, " +
                $"{device.Multiprocessors} multiprocessors, {device.MemoryBytes / 1e9:0.0} GB. " +
                $"Cannot be used: {NotYet}"));
        }

        if (devices.Cuda.Unavailable is { } reason) facts.Add("cuda", $"Cannot be used: {reason}");
        facts.WriteTo(output);
    }

    private void WriteJson(Devices devices) => output.WriteJson(json =>
    {
        json.WriteStartObject("cpu");
        json.WriteString("model", devices.Cpu.Model);
        json.WriteNumber("cores", devices.Cpu.Cores);
        json.WriteString("instruction_set", devices.Cpu.InstructionSet.ToString());
        json.WriteBoolean("usable", true);
        json.WriteEndObject();
        json.WriteStartArray("cuda");
        foreach (CudaDevice device in devices.Cuda.Devices)
        {
            json.WriteStartObject();
            json.WriteNumber("index", device.Index);
            json.WriteString("name", device.Name);
            json.WriteString("compute_capability", device.ComputeCapability.ToString());
            json.WriteNumber("multiprocessors", device.Multiprocessors);
            json.WriteNumber("memory_bytes", device.MemoryBytes);
            json.WriteBoolean("usable", false);
            json.WriteString("reason", NotYet);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("cuda_driver", devices.Cuda.DriverVersion?.ToString());
        json.WriteString("cuda_unavailable", devices.Cuda.Unavailable);
    });
}
